"""The work on features, as an engine calls it."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mfcc_assets.compute.context import Context
from mfcc_assets.errors import FeaturesMissing, SettingsError
from mfcc_assets.ids import content_digest, digest_of_file
from mfcc_assets.library import Library
from mfcc_assets.pipeline.feature_work import ANALYSED, AUDIO, FILES, analyse_files, features_of_audio
from mfcc_assets_tests.audio_samples import retag, write_music
from mfcc_assets_tests.damage import damage, flip, names


@pytest.fixture
def song(library: Library, tmp_path: Path) -> Path:
    path = write_music(tmp_path / "song.flac", seconds=2.0, seed=1)
    library.blobs.upload_file("soundtracks", path.name, path)
    return path


def analysed(library: Library, digest: str, *names: str, audio_id: str | None = None) -> dict[str, Any]:
    """Analyse one item."""
    count = len(names)
    item = {
        "key": digest,
        "shard": "0",
        "cost": 1.0,
        "names": list(names),
        "audio_ids": [audio_id] * count,
        "seconds": [7.0] * count,
        "notes": ["as before"] * count,
    }
    items = pa.RecordBatch.from_pylist([item], FILES)
    batch = analyse_files(Context(library), library.feature_parameters.cepstra.version, items)
    assert batch.schema == ANALYSED
    (found,) = batch.to_pylist()
    return found


def test_a_file_is_analysed_and_its_cepstra_are_stored(library: Library, song: Path) -> None:
    found = analysed(library, digest_of_file(song), song.name)

    assert (found["digest"], found["computed"], found["note"]) == (digest_of_file(song), True, "")
    assert found["seconds"] == pytest.approx(2.0, abs=0.1)
    assert library.features.has_cepstra(found["audio_id"], library.feature_parameters.cepstra)


def test_the_first_name_that_can_be_read_is_used(library: Library, song: Path) -> None:
    assert analysed(library, digest_of_file(song), "gone.flac", song.name)["computed"]


@pytest.mark.usefixtures("song")
@pytest.mark.parametrize(
    ("names", "gone"), [(["gone.flac"], True), (["song.flac"], False), (["a", "song.flac"], False)]
)
def test_a_file_that_has_gone_or_changed_since_it_was_observed_gives_nothing_but_which_of_both(
    library: Library, names: list[str], gone: bool
) -> None:
    assert analysed(library, "0" * 32, *names) == dict.fromkeys(ANALYSED.names) | {"gone": gone}


def test_a_file_whose_audio_is_known_is_not_computed_again(library: Library, song: Path) -> None:
    audio_id = analysed(library, digest_of_file(song), song.name)["audio_id"]
    retag(song, title="Another title")
    library.blobs.upload_file("soundtracks", song.name, song)

    found = analysed(library, digest_of_file(song), song.name, audio_id=audio_id)

    assert (found["computed"], found["audio_id"]) == (False, audio_id)
    assert (found["seconds"], found["note"]) == (7.0, "as before")


def test_a_file_that_is_no_music_is_told_with_its_digest(library: Library) -> None:
    library.blobs.write("soundtracks", "letter.mp3", b"no music")
    digest = content_digest(BytesIO(b"no music"))

    found = analysed(library, digest, "letter.mp3")

    assert (found["digest"], found["audio_id"]) == (digest, None)
    assert found["fault"]["code"] == "UnreadableAudio"
    assert found["fault"]["what"].startswith("no decoder can read the file")


def test_another_version_of_the_features_is_refused(library: Library) -> None:
    with pytest.raises(SettingsError, match=r"features of version .*, and version other is needed"):
        analyse_files(Context(library), "other", pa.RecordBatch.from_pylist([], FILES))


def features_of(library: Library, audio_id: str, name: str) -> str | None:
    item = {"key": audio_id, "shard": "0", "cost": 1.0, "name": name}
    items = pa.RecordBatch.from_pylist([item], AUDIO)
    (repair,) = features_of_audio(Context(library), library.feature_parameters.version, items)["repair"].to_pylist()
    return repair


def test_track_features_are_computed_from_cepstra_and_stored(library: Library, song: Path) -> None:
    audio_id = analysed(library, digest_of_file(song), song.name)["audio_id"]

    assert features_of(library, audio_id, song.name) is None
    assert library.features.has_track_features(audio_id, library.feature_parameters)


def test_damaged_cepstra_are_computed_again_from_the_soundtrack(library: Library, song: Path) -> None:
    audio_id = analysed(library, digest_of_file(song), song.name)["audio_id"]
    (cepstra,) = names(library, "frames/")
    damage(library, cepstra, flip)

    repair = features_of(library, audio_id, song.name)

    assert repair is not None
    assert "the stored features are damaged. They are computed again." in repair
    assert library.features.has_track_features(audio_id, library.feature_parameters)


def test_missing_cepstra_are_named(library: Library) -> None:
    with pytest.raises(FeaturesMissing, match="there are no features"):
        features_of(library, "0" * 32, "song.flac")
