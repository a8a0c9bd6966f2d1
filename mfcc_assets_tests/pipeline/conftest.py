"""Fixtures of the tests of what is done to a library."""

from pathlib import Path

import pytest

from mfcc_assets_tests.audio_samples import write_music


@pytest.fixture
def query(tmp_path: Path) -> Path:
    """Write music that is in no library."""
    return write_music(tmp_path / "query.flac", 3.0, seed=400)
