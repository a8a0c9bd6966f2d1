"""Analysing the tracks of a labelled set, and storing their features."""

import shutil
from pathlib import Path

import pytest

from mfcc_assets.audio.reencode import Chain
from mfcc_assets.errors import UnusableManifest
from mfcc_assets.evaluation.labelled import LabelledSet
from mfcc_assets.evaluation.manifest import LabelledTrack
from mfcc_assets.library import Library
from mfcc_assets.pipeline.quality import labelled_set
from mfcc_assets_tests.evaluation.progress import ignore_progress


def test_files_that_cannot_be_used_are_rejected_with_a_reason(library: Library, folder: Path) -> None:
    tracks = [LabelledTrack(path) for path in ("silence.flac", "1.flac", "missing.ogg", "broken.mp3", "0.flac")]

    analysed = labelled_set(library, folder, tracks).analyse(ignore_progress)

    assert {track.path for track in analysed.tracks} == {"0.flac", "1.flac"}
    assert analysed.rejected == {
        "silence.flac": "no sample rises above silence",
        "missing.ogg": "it cannot be opened (No such file or directory)",
        "broken.mp3": "no decoder can read the file, which is text",
    }


def test_a_file_that_a_chain_cannot_encode_is_rejected_with_a_reason(labelled: LabelledSet) -> None:
    paths = [track.path for track in labelled.analyse(ignore_progress).tracks]

    def chain_of(track: LabelledTrack) -> Chain:
        # No MP3 has this sample rate.
        return Chain(96_000 if track.path == "1.flac" else 44_100, 128_000, gain=0.0)

    analysed = labelled.analyse(ignore_progress, chain_of)

    assert [track.path for track in analysed.tracks] == [path for path in paths if path != "1.flac"]
    assert analysed.rejected == {"1.flac": "its samples cannot be encoded by libmp3lame"}


def test_a_set_without_a_usable_track_is_refused(library: Library, folder: Path) -> None:
    with pytest.raises(UnusableManifest, match=r"none of the manifest's 1 tracks can be used, for example gone\.ogg"):
        labelled_set(library, folder, [LabelledTrack("gone.ogg")]).analyse(ignore_progress)
    with pytest.raises(UnusableManifest, match="none of the manifest's 0 tracks can be used"):
        labelled_set(library, folder, []).analyse(ignore_progress)


def test_features_are_computed_once_even_if_the_files_move(
    library: Library, labelled: LabelledSet, folder: Path, tmp_path: Path
) -> None:
    first = labelled.analyse(ignore_progress)
    written = stored_features(library)
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)

    again = labelled_set(library, moved, list(first.tracks)).analyse(ignore_progress)

    assert again.audio_ids == first.audio_ids
    assert stored_features(library) == written


def test_the_users_library_is_not_changed(library: Library, labelled: LabelledSet) -> None:
    labelled.analyse(ignore_progress)
    assert [path.name for path in library.settings.folder.iterdir()] == ["evaluation"]


def test_the_order_of_tracks_does_not_depend_on_the_manifest(library: Library, folder: Path) -> None:
    tracks = [LabelledTrack(f"{number}.flac") for number in range(6)]
    orders = [
        [track.path for track in labelled_set(library, folder, rows).analyse(ignore_progress).tracks]
        for rows in (tracks, tracks[::-1])
    ]
    assert orders[0] == orders[1] != sorted(orders[0])


def stored_features(library: Library) -> dict[Path, tuple[int, int]]:
    """Return size and modification time of every feature file."""
    files = (path for path in (library.settings.folder / "evaluation").rglob("*.parquet"))
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}
