"""Damaged and unusual files: each one is used or rejected with a reason, and the other files are not affected."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from mfcc_assets.audio.reader import Audio
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline import analysed_bytes
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.pipeline.store_features import store_analysis
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets_tests.audio_samples import music, retag, write_audio, write_music, write_tone
from mfcc_assets_tests.damage import index_part
from mfcc_assets_tests.runs import (
    Run,
    assert_recommendations_hold,
    copied_home,
    drop_upload,
    requested_uploads,
    run_library,
    run_uploads,
)

MUSIC = music(3.0, seed=200)
NOT_A_NUMBER = np.where(np.arange(len(MUSIC)) == 50_000, np.nan, MUSIC)


def _cut(path: Path, kept: float) -> None:
    written = path.read_bytes()
    path.write_bytes(written[: round(kept * len(written))])


def _write_cut_mp3(path: Path) -> None:
    _cut(write_music(path, 6.0, seed=201), 0.5)


UNUSABLE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "zero-bytes.mp3": (lambda path: path.write_bytes(b""), "empty", "the file is empty"),
    "text.mp3": (lambda path: path.write_text("These are no samples.\n" * 99), "unreadable", "no decoder can read"),
    "silence.wav": (lambda path: write_tone(path, 3.0, amplitude=0.0), "silent", "no sample rises above silence"),
    "short.wav": (lambda path: write_music(path, 0.2, seed=202), "too_short", "only 0.20 s of audio"),
    "nan.wav": (lambda path: write_audio(path, NOT_A_NUMBER, subtype="FLOAT"), "not_finite", "the samples reach nan"),
}

PASSED_OVER = "text.mp3"
"""A text is no audio of the library, whatever its suffix says. A listener who sends one is told why it is unusable."""

REJECTED = {name for name in UNUSABLE if name != PASSED_OVER}

USABLE: dict[str, Callable[[Path], object]] = {
    "cut.mp3": _write_cut_mp3,
    "8-khz.wav": lambda path: write_music(path, 3.0, seed=203, sample_rate=8_000),
    "192-khz.wav": lambda path: write_music(path, 3.0, seed=204, sample_rate=192_000),
    "six-channels.wav": lambda path: write_music(path, 3.0, seed=205, channels=6),
}

NAMES = [
    "with spaces.wav",
    "100%.wav",
    "%2e%2e%2fescaped.wav",
    "#1 & co?.wav",
    "🎷🎶 Ünïcödé.wav",
    "quotes \" ' `.wav",
    "-dash.wav",
    "semi;colon --DROP TABLE.wav",
    "a" * 246 + ".wav",
    "dots..in..it.wav",
    "no suffix",
]

LISTENED_TO = "listened to.flac"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write all files that cannot be used and all unusual ones that can, and return their paths by name."""
    folder = tmp_path_factory.mktemp("files")
    for name, (write, _, _) in UNUSABLE.items():
        write(folder / name)
    for name, write in USABLE.items():
        write(folder / name)
    return {name: folder / name for name in [*UNUSABLE, *USABLE]}


@pytest.fixture(scope="module")
def mixed(
    up_to_date_home: Path, files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Library, Run]]:
    """Add all these files to a library of ten good tracks, and return the library and the result of one run."""
    home = copied_home(up_to_date_home, tmp_path_factory.mktemp("mixed") / "home")
    with Library(Settings(home=home, settle_seconds=0)) as library, dg.DagsterInstance.ephemeral() as instance:
        for name, path in files.items():
            (library.settings.blobs / "soundtracks" / name).write_bytes(path.read_bytes())
        named = library.settings.blobs / "soundtracks" / "named"
        named.mkdir()
        for seed, name in enumerate(NAMES, start=300):
            write_audio(tmp_path_factory.mktemp("named") / "x.wav", music(2.0, seed)).rename(named / name)
        yield library, run_library(library, instance)


def track(library: Library, name: str) -> Soundtrack:
    (found,) = (track for track in library.catalogue.soundtracks() if track.blob_name == name)
    return found


class TestSoundtracks:
    @pytest.mark.parametrize("name", sorted(REJECTED))
    def test_an_unusable_file_is_rejected_with_its_reason(self, mixed, name: str) -> None:
        library, _ = mixed
        _, code, reason = UNUSABLE[name]
        (reject,) = (reject for reject in library.catalogue.rejects() if reject.blob_name == name)
        assert reject.code == code
        assert reject.reason.startswith(f"{name}: ")
        assert reason in reject.reason
        assert (track(library, name).state, track(library, name).note) == ("rejected", reject.reason)

    def test_a_text_with_the_suffix_of_audio_is_passed_over(self, mixed) -> None:
        library, _ = mixed
        assert PASSED_OVER not in {each.blob_name for each in library.catalogue.soundtracks()}

    def test_no_other_file_is_rejected_and_the_run_reports_the_number(self, mixed) -> None:
        library, run = mixed
        assert {reject.blob_name for reject in library.catalogue.rejects()} == REJECTED
        assert run.total("soundtrack_cepstra", "rejected") == len(REJECTED)
        (check,) = (
            check
            for check in run.result.get_asset_check_evaluations()
            if check.check_name == "no_soundtrack_is_rejected"
        )
        assert not check.passed

    @pytest.mark.parametrize("name", USABLE)
    def test_an_unusual_file_is_analysed(self, mixed, name: str) -> None:
        library, _ = mixed
        assert track(library, name).state == "analysed"
        assert len(library.recommendations.recommended(track(library, name).track_id)) == 5

    def test_the_beginning_of_a_truncated_mp3_is_used_with_a_note(self, mixed) -> None:
        library, _ = mixed
        assert track(library, "cut.mp3").seconds == pytest.approx(3.0, abs=0.2)
        assert track(library, "cut.mp3").note.startswith("cut off: ")

    @pytest.mark.parametrize("name", NAMES)
    def test_a_file_with_any_name_is_analysed_and_found(self, mixed, name: str) -> None:
        library, _ = mixed
        found = track(library, f"named/{name}")
        assert found.state == "analysed"
        assert library.blobs.exists("artworks", found.artwork)
        assert len(library.recommendations.recommended(found.track_id)) == 5

    def test_the_other_tracks_are_not_affected(self, mixed) -> None:
        library, run = mixed
        assert run.total("soundtrack_cepstra", "unchanged") == 10
        assert_recommendations_hold(library)

    def test_a_second_run_tries_only_rejected_files_that_other_settings_could_make_usable(
        self, mixed, instance
    ) -> None:
        library, _ = mixed
        run = run_library(library, instance)
        assert run.total("soundtrack_cepstra", "rejected") == 1  # a setting decides which files are too short
        assert run.work.cepstra == run.work.pairs == run.work.rows == 0
        assert {reject.blob_name for reject in library.catalogue.rejects()} == REJECTED


@pytest.fixture(scope="module")
def answered(
    up_to_date_home: Path, files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Library, dict[str, UploadId]]]:
    """Answer all these files as uploads in one run. Two of them are the same. Return the library and the upload ids."""
    home = copied_home(up_to_date_home, tmp_path_factory.mktemp("answered") / "home")
    good = write_audio(tmp_path_factory.mktemp("good") / LISTENED_TO, MUSIC)
    with Library(Settings(home=home, settle_seconds=0)) as library, dg.DagsterInstance.ephemeral() as instance:
        ids = {name: drop_upload(library, path, name) for name, path in files.items()}
        ids |= {name: drop_upload(library, good, name) for name in (*NAMES, LISTENED_TO, f"again/{LISTENED_TO}")}
        run_uploads(library, instance, list(ids.values()))
        yield library, ids


class TestUploads:
    @pytest.mark.parametrize("name", UNUSABLE)
    def test_an_unusable_file_fails_with_its_reason(self, answered, name: str) -> None:
        library, ids = answered
        _, code, reason = UNUSABLE[name]
        document = library.documents.get(ids[name]).body
        assert (document["state"], document["failure"]["code"]) == ("failed", code)
        assert reason in document["failure"]["reason"]
        assert library.recommendations.recommended(ids[name]) == []

    @pytest.mark.parametrize("name", [*USABLE, *NAMES])
    def test_an_unusual_file_is_answered(self, answered, name: str) -> None:
        library, ids = answered
        assert library.documents.get(ids[name]).body["state"] == "ranked"
        assert len(library.recommendations.recommended(ids[name])) == 5

    def test_a_truncated_mp3_gets_a_note(self, answered) -> None:
        library, ids = answered
        assert library.documents.get(ids["cut.mp3"]).body["note"].startswith("cut off: ")

    def test_two_uploads_of_the_same_bytes_get_the_same_answer(self, answered) -> None:
        library, ids = answered
        first, second = (
            library.recommendations.recommended(ids[name]) for name in (LISTENED_TO, f"again/{LISTENED_TO}")
        )
        assert ids[LISTENED_TO] != ids[f"again/{LISTENED_TO}"]
        assert len(first) == 5
        assert [(row.track_id, row.distance) for row in first] == [(row.track_id, row.distance) for row in second]

    def test_no_upload_is_lost(self, answered) -> None:
        library, ids = answered
        assert {blob.name for blob in library.blobs.list("uploads")} == set(ids)
        assert len(list(library.blobs.list("batch"))) == len(ids)
        assert {document.id for document in library.documents.find()} == set(ids.values())


def test_an_upload_that_is_larger_than_the_settings_allow_is_refused_before_it_is_copied(
    ten_songs: list[Path], tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    with Library(Settings(home=tmp_path / "home", settle_seconds=0, max_upload_gigabytes=1e-6)) as library:
        upload = drop_upload(library, ten_songs[0], "large.flac")
        run_uploads(library, instance, [upload])

        failure = library.documents.get(upload).body["failure"]
        assert failure["code"] == "too_large"
        assert failure["reason"].startswith("large.flac: the file has ")
        assert [reject.code for reject in library.catalogue.rejects()] == ["too_large"]
        assert list(library.blobs.list("batch")) == []


def test_an_upload_to_an_empty_library_fails_and_is_answered_when_there_is_music(
    library, instance, ten_songs, tmp_path
) -> None:
    upload = drop_upload(library, write_audio(tmp_path / "x.wav", MUSIC), "x.wav")
    assert requested_uploads(library, instance) == [upload]
    run_uploads(library, instance, [upload])
    failure = library.documents.get(upload).body["failure"]
    assert failure["code"] == "no_index"
    assert "there is no index to search yet. Add music" in failure["reason"]
    assert requested_uploads(library, instance) == []

    for song in ten_songs[:3]:
        library.blobs.upload_file("soundtracks", song.name, song)
    run_library(library, instance)
    assert requested_uploads(library, instance) == [upload]
    run_uploads(library, instance, [upload])
    assert library.documents.get(upload).body["state"] == "ranked"
    assert "failure" not in library.documents.get(upload).body
    assert len(library.recommendations.recommended(upload)) == 3
    assert requested_uploads(library, instance) == []


def test_an_upload_to_a_corrupt_index_fails_and_is_answered_when_a_run_has_rebuilt_the_index(
    ten_tracks, instance, tmp_path
) -> None:
    version = ten_tracks.indexes.published_version()
    vector_index = index_part(ten_tracks, version, "prefilter.faiss")
    ten_tracks.blobs.write("cepstra", vector_index, ten_tracks.blobs.read("cepstra", vector_index)[:-100])
    tagged = write_audio(tmp_path / "x.flac", MUSIC)
    retag(tagged, title="It says so itself")
    upload = drop_upload(ten_tracks, tagged, "x.flac")
    run_uploads(ten_tracks, instance, [upload])
    document = ten_tracks.documents.get(upload).body
    assert document["failure"]["code"] == "corrupt_index"
    assert "prefilter.faiss is not what was written" in document["failure"]["reason"]
    assert (document["recognised"]["title"], document["recognised"]["by"]) == ("It says so itself", "tags")

    run = run_library(ten_tracks, instance)
    assert (run.work.cepstra, run.work.track_features, run.work.index_written, run.work.pairs) == (0, 0, True, 0)
    assert requested_uploads(ten_tracks, instance) == [upload]
    run_uploads(ten_tracks, instance, [upload])
    assert len(ten_tracks.recommendations.recommended(upload)) == 5
    assert_recommendations_hold(ten_tracks)


def test_the_next_run_replaces_a_damaged_pointer_to_the_published_index(ten_tracks, instance) -> None:
    version = ten_tracks.indexes.published_version()
    ten_tracks.blobs.write("cepstra", "indexes/published.json", b'{"version": ')
    assert any("published.json" in line for line in outstanding_work(ten_tracks))

    assert run_library(ten_tracks, instance).work.pairs == 0
    assert ten_tracks.indexes.published_version() == version
    assert outstanding_work(ten_tracks) == []


def test_an_upload_is_answered_without_a_candidate_whose_features_are_damaged(ten_tracks, instance, tmp_path) -> None:
    damaged = ten_tracks.catalogue.soundtracks()[0].audio_id
    track_features = f"summaries/{ten_tracks.feature_parameters.version}/{damaged}.parquet"
    ten_tracks.blobs.write("cepstra", track_features, ten_tracks.blobs.read("cepstra", track_features)[:50])
    upload = drop_upload(ten_tracks, write_audio(tmp_path / "x.flac", MUSIC), "x.flac")
    run_uploads(ten_tracks, instance, [upload])

    assert ten_tracks.documents.get(upload).body["state"] == "ranked"
    assert len(ten_tracks.recommendations.recommended(upload)) == 5


def test_the_analysis_of_a_file_that_changes_meanwhile_is_discarded(library, instance, tmp_path, monkeypatch) -> None:
    first, second = (write_music(tmp_path / f"{seed}.flac", seconds=3, seed=seed) for seed in (1, 2))
    library.blobs.upload_file("soundtracks", "song.flac", first)

    def replaced_meanwhile(*arguments: Any) -> Audio:
        library.blobs.upload_file("soundtracks", "song.flac", second)
        return store_analysis(*arguments)

    monkeypatch.setattr(analysed_bytes, "store_analysis", replaced_meanwhile)
    run_library(library, instance)
    (track,) = library.catalogue.soundtracks()
    assert (track.audio_id, library.catalogue.contents([track.content_digest])) == (None, {})

    monkeypatch.undo()
    run_library(library, instance)
    (track,) = library.catalogue.soundtracks()
    assert track.state == "analysed"
    assert outstanding_work(library) == []


def test_runs_wait_for_databases_that_another_writer_locks_for_five_seconds(
    ten_tracks, instance, ten_songs, tmp_path
) -> None:
    upload = drop_upload(ten_tracks, write_audio(tmp_path / "x.wav", MUSIC), "x.wav")
    ten_tracks.blobs.delete("soundtracks", ten_songs[0].name)
    databases = [ten_tracks.settings.folder / "tables.sqlite", ten_tracks.settings.documents]
    assert ten_tracks.documents.latest() is None  # now both databases exist
    with ExitStack() as stack:
        locks = [
            stack.enter_context(closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)))
            for path in databases
        ]
        for lock in locks:
            lock.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(5.0, lambda: [lock.execute("ROLLBACK") for lock in locks])
        release.start()
        library_run = run_library(ten_tracks, instance)
        uploads_run = run_uploads(ten_tracks, instance, [upload])
        release.join()
    assert library_run.retries == uploads_run.retries == []
    assert library_run.work.removed == 1
    assert len(ten_tracks.recommendations.recommended(upload)) == 5
    assert_recommendations_hold(ten_tracks)
