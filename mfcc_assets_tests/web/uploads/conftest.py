"""A file that a listener sends, and the running server that takes it."""

import pytest


@pytest.fixture(scope="session")
def song(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the content of a file with music that is not in the library of ten songs."""
    from mfcc_assets_tests.audio_samples import write_music

    path = write_music(tmp_path_factory.mktemp("sent") / "sent.flac", 3.0, seed=77)
    return path.read_bytes()
