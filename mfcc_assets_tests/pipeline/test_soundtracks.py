"""The features of the soundtracks: which files are analysed, and with which outcome."""

import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mfcc_assets.compute import local
from mfcc_assets.errors import BlobNotFound, FeaturesMissing, WorkFailed
from mfcc_assets.library import Library
from mfcc_assets.pipeline.analysed_bytes import ByteAnalysis, ObservedFile
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.soundtracks import (
    COMPUTED,
    REJECTED,
    REUSED,
    UNCHANGED,
    WAITING,
    AnalysisReport,
    analyse_soundtracks,
    compute_features_of_soundtracks,
)
from mfcc_assets.pipeline.store_features import store_analysis
from mfcc_assets_tests.audio_samples import retag, write_music

if TYPE_CHECKING:
    from mfcc_assets.pipeline.progress import Progress


def analyse(library: Library, *paths: Path) -> AnalysisReport:
    """Upload files to the container `soundtracks`, observe it and analyse its files."""
    for path in paths:
        library.blobs.upload_file("soundtracks", path.name, path)
    observe_soundtracks(library, library.shards, run_id="run")
    return analyse_soundtracks(library, library.shards, run_id="run")


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_music(tmp_path / "song.flac", seconds=2.0, seed=1)


def test_a_file_is_analysed_once(library: Library, song: Path) -> None:
    assert analyse(library, song).outcomes == {"song.flac": COMPUTED}
    assert analyse(library).outcomes == {"song.flac": UNCHANGED}


def test_files_of_any_name_are_analysed_or_rejected_with_a_reason(library: Library, song: Path) -> None:
    library.blobs.exists("soundtracks", "a first use makes the folder")
    folder = library.settings.blobs / "soundtracks"
    shutil.copy(song, folder / "caf\udce9.flac")
    (folder / "AC\\DC\n.flac").write_bytes(b"no music")

    assert sorted(analyse(library).outcomes.values()) == [COMPUTED, REJECTED]

    (reject,) = library.catalogue.rejects()
    assert reject.reason.startswith(r"AC\DC\x0a.flac: no decoder can read the file, which is text.")
    assert [track.title for track in library.catalogue.soundtracks() if track.audio_id] == [r"caf\xe9"]


def test_a_copy_of_a_file_gets_the_features_of_the_first(library: Library, song: Path, tmp_path: Path) -> None:
    analyse(library, song)

    report = analyse(library, Path(shutil.copy(song, tmp_path / "copy.flac")))

    assert report.outcomes == {"song.flac": UNCHANGED, "copy.flac": REUSED}
    assert len({track.audio_id for track in library.catalogue.soundtracks()}) == 1


def test_new_tags_do_not_cause_another_analysis(library: Library, song: Path) -> None:
    analyse(library, song)
    retag(song, title="Another title")

    assert analyse(library, song).outcomes == {"song.flac": REUSED}


def test_new_audio_under_an_old_name_is_analysed(library: Library, song: Path) -> None:
    analyse(library, song)
    write_music(song, seconds=2.0, seed=2)

    assert analyse(library, song).outcomes == {"song.flac": COMPUTED}


def test_an_unusable_file_becomes_a_reject_and_the_others_are_analysed(
    library: Library, song: Path, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.mp3"
    letter.write_bytes(b"not music")

    report = analyse(library, song, letter)

    assert report.outcomes == {"song.flac": COMPUTED, "letter.mp3": REJECTED}
    assert report.rejects == library.catalogue.rejects()
    (reject,) = report.rejects
    assert reject.blob_name == "letter.mp3"
    assert "letter.mp3" in reject.reason


def test_a_file_that_goes_after_the_observation_is_left_to_the_next_one(library: Library, song: Path) -> None:
    library.blobs.upload_file("soundtracks", song.name, song)
    observe_soundtracks(library, library.shards, run_id="run")
    library.blobs.delete("soundtracks", song.name)

    report = analyse_soundtracks(library, library.shards, run_id="run")

    assert (report.computed, report.rejects) == ({}, [])


def test_progress_is_reported_after_every_file(library: Library, song: Path) -> None:
    library.blobs.upload_file("soundtracks", song.name, song)
    observe_soundtracks(library, library.shards, run_id="run")
    reported: list[Progress] = []

    analyse_soundtracks(library, library.shards, run_id="run", report_progress=reported.append)

    assert [progress.counted for progress in reported] == ["0 of 1 files", "1 of 1 files"]
    assert {progress.current for progress in reported} == {"song.flac"}


def test_a_stage_analyses_so_many_files_and_the_others_wait(library: Library, ten_songs: list[Path]) -> None:
    analyse(library, *ten_songs[:1])
    for song in ten_songs[1:]:
        library.blobs.upload_file("soundtracks", song.name, song)
    library.blobs.write("soundtracks", "broken.flac", b"not music")
    observe_soundtracks(library, library.shards, run_id="run")
    reported: list[Progress] = []

    stage = analyse_soundtracks(library, library.shards, run_id="run", stage_size=4, report_progress=reported.append)
    rest = analyse_soundtracks(library, library.shards, run_id="run", report_progress=reported.append)

    assert Counter(stage.outcomes.values())[WAITING] == 6
    assert stage.outcomes["song-0.flac"] == UNCHANGED
    outcomes = Counter([*stage.outcomes.values(), *rest.outcomes.values()])
    assert (outcomes[COMPUTED], outcomes[REJECTED]) == (9, 1)
    assert reported[4].counted == "5 of 11 files"
    assert (reported[4].seconds_left or 0) > 0, "the time of all stages is estimated"
    assert (reported[-1].counted, reported[-1].rejects, reported[-1].seconds_left) == ("11 of 11 files", 1, 0)


def test_track_features_are_computed_once(library: Library, song: Path) -> None:
    analyse(library, song)

    assert compute_features_of_soundtracks(library, library.shards) == {"song.flac": COMPUTED}
    assert compute_features_of_soundtracks(library, library.shards) == {"song.flac": UNCHANGED}


def test_missing_cepstra_are_named_before_track_features_are_computed(library: Library, song: Path) -> None:
    (audio_id,) = analyse(library, song).computed
    library.features.delete(audio_id, library.feature_parameters)

    with pytest.raises(FeaturesMissing):
        compute_features_of_soundtracks(library, library.shards)


def test_the_longest_files_are_analysed_first_although_they_need_fewer_bytes(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [
        write_music(tmp_path / name, seconds=seconds, seed=seconds)
        for name, seconds in (("a.wav", 2), ("b.ogg", 6), ("c.wav", 3))
    ]
    assert paths[1].stat().st_size < paths[0].stat().st_size
    # On one core the results come in the order of the work.
    monkeypatch.setattr(local, "WORKERS", 1)

    assert list(analyse(library, *paths).computed.values()) == ["b.ogg", "c.wav", "a.wav"]


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let the analysis of song-3.flac fail by an error that nobody expects, until the patch is undone."""

    def fail_on_one(features, path, parameters, limits, subject):
        if subject == "song-3.flac":
            raise ZeroDivisionError("a fault of the program")
        return store_analysis(features, path, parameters, limits, subject)

    monkeypatch.setattr("mfcc_assets.pipeline.analysed_bytes.store_analysis", fail_on_one)
    return monkeypatch


def test_work_that_fails_on_one_file_names_it_and_the_next_run_computes_only_this_one(
    library: Library, ten_songs: list[Path], poisoned: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        WorkFailed, match=r"song-3\.flac: its work failed \(ZeroDivisionError: a fault of the program\)"
    ):
        analyse(library, *ten_songs)
    assert library.catalogue.rejects() == []
    poisoned.undo()

    assert Counter(analyse(library).outcomes.values()) == {UNCHANGED: 9, COMPUTED: 1}


def test_a_file_that_only_the_process_which_computes_does_not_find_is_a_fault(
    library: Library, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An executor on another machine sees an empty folder if the blobs are not shared with it."""

    def see_nothing(_: ByteAnalysis, file: ObservedFile) -> None:
        raise BlobNotFound("there is no such blob", subject=file.name)

    monkeypatch.setattr(ByteAnalysis, "of", see_nothing)
    with pytest.raises(WorkFailed, match=rf"{song.name}: its file is there, and the process that computes"):
        analyse(library, song)
