"""Nothing of a purged upload is left."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import dagster as dg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from mfcc_assets.cli.main import main
from mfcc_assets.errors import PurgeIncomplete
from mfcc_assets.ids import UploadId, upload_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import lapsed_uploads, purge_lapsed_uploads, purge_upload
from mfcc_assets.pipeline.uploads import analyse_uploads, receive_uploads
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import CONTAINERS, OF_LISTENERS
from mfcc_assets.storage.sql.schema import CONTENTS
from mfcc_assets_tests.audio_samples import retag
from mfcc_assets_tests.runs import drop_upload, requested_uploads, run_uploads
from mfcc_assets_tests.upload_steps import answer_uploads, answering_run


def everything(library: Library) -> dict[str, object]:
    """Everything that is stored, apart from what Dagster keeps."""
    return {
        "blobs": {(container, blob.name) for container in CONTAINERS for blob in library.blobs.list(container)},
        "documents": {document.id for document in library.documents.find()},
        "rejects": library.catalogue.rejects(),
        "contents": contents_of(library),
    }


def contents_of(library: Library) -> list[tuple[object, ...]]:
    with library.database.reading() as connection:
        return sorted(tuple(row) for row in connection.execute(sa.select(CONTENTS)))


def test_a_purge_removes_everything_of_an_upload_and_nothing_else(
    ten_tracks: Library, query: Path, instance: dg.DagsterInstance
) -> None:
    before = everything(ten_tracks)
    upload = drop_upload(ten_tracks, query, "query.flac")
    run_uploads(ten_tracks, instance, [upload])
    audio_id = ten_tracks.documents.get(upload).body["audio_id"]

    purged = purge_upload(ten_tracks, upload)

    assert (purged.blobs, purged.had_document, purged.recommendations) == (2, True, 5)
    assert purged.audio_id == audio_id
    assert everything(ten_tracks) == before
    assert ten_tracks.recommendations.recommended(upload) == []


def test_the_features_stay_if_a_soundtrack_has_the_same_audio(
    ten_tracks: Library, ten_songs: list[Path], instance: dg.DagsterInstance
) -> None:
    before = everything(ten_tracks)
    upload = drop_upload(ten_tracks, ten_songs[3], "query.flac")
    run_uploads(ten_tracks, instance, [upload])

    assert purge_upload(ten_tracks, upload).audio_id is None
    assert everything(ten_tracks) == before
    assert set(ten_tracks.catalogue.track_ids_by_audio()) <= ten_tracks.features.audio_with_track_features(
        ten_tracks.feature_parameters
    )


def test_a_rejected_upload_can_be_purged(ten_tracks: Library, tmp_path: Path, instance: dg.DagsterInstance) -> None:
    before = everything(ten_tracks)
    (tmp_path / "text.mp3").write_text("no music")
    upload = drop_upload(ten_tracks, tmp_path / "text.mp3", "text.mp3")
    run_uploads(ten_tracks, instance, [upload])
    assert len(ten_tracks.catalogue.rejects()) == 1

    purge_upload(ten_tracks, upload)

    assert everything(ten_tracks) == before


def test_an_upload_that_is_claimed_again_after_its_analysis_is_purged_with_what_is_known_of_its_bytes(
    ten_tracks: Library, query: Path
) -> None:
    before = contents_of(ten_tracks)
    upload = drop_upload(ten_tracks, query, "query.flac")
    answer_uploads(ten_tracks, [upload])
    receive_uploads(ten_tracks, [upload], run=answering_run("another"))

    purge_upload(ten_tracks, upload)

    assert contents_of(ten_tracks) == before


def test_a_purge_does_not_read_an_upload_that_its_document_describes(
    ten_tracks: Library, query: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = drop_upload(ten_tracks, query, "query.flac")
    answer_uploads(ten_tracks, [upload])
    read = Mock(wraps=ten_tracks.blobs.as_file)
    monkeypatch.setattr(ten_tracks.blobs, "as_file", read)

    assert purge_upload(ten_tracks, upload).blobs == 2
    assert not {call.args[0] for call in read.call_args_list} & {*OF_LISTENERS}


def change_permissions(file: Path) -> None:
    file.chmod(0o600)


def link_into_a_backup(file: Path) -> None:
    (file.parents[2] / "a backup.flac").hardlink_to(file)


def touch(file: Path) -> None:
    os.utime(file, (0, 0))


def copy_and_move_back(file: Path) -> None:
    shutil.copyfile(file, file.parents[2] / "copy")
    (file.parents[2] / "copy").replace(file)


def make_a_new_signing_key(file: Path) -> None:
    (file.parents[2] / "signing.key").unlink()


@pytest.mark.parametrize(
    ("disturb", "is_of_older_version"),
    [
        (change_permissions, False),
        (link_into_a_backup, False),
        (touch, False),
        (copy_and_move_back, False),
        (make_a_new_signing_key, False),
        (change_permissions, True),
        (make_a_new_signing_key, True),
    ],
)
def test_an_upload_whose_file_was_touched_is_neither_answered_again_nor_left_behind_by_a_purge(
    ten_tracks: Library,
    query: Path,
    instance: dg.DagsterInstance,
    disturb: Callable[[Path], None],
    is_of_older_version: bool,
) -> None:
    before = everything(ten_tracks)
    upload = answered_upload(ten_tracks, query, is_of_older_version=is_of_older_version)
    ten_tracks.close()

    disturb(ten_tracks.settings.blobs / "uploads" / NAME)

    with Library(ten_tracks.settings) as later:
        assert requested_uploads(later, instance) == []
        purge_upload(later, upload)
        assert everything(later) == before


@pytest.mark.parametrize(
    ("copy", "is_of_older_version"), [(shutil.copy2, False), (shutil.copyfile, False), (shutil.copyfile, True)]
)
def test_a_copied_home_has_nothing_to_answer(
    ten_tracks: Library,
    query: Path,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    copy: Callable[[str, str], object],
    is_of_older_version: bool,
) -> None:
    upload = answered_upload(ten_tracks, query, is_of_older_version=is_of_older_version)
    ten_tracks.close()
    shutil.copytree(ten_tracks.settings.home, tmp_path / "copy", copy_function=copy)

    settings = ten_tracks.settings.model_copy(update={"home": tmp_path / "copy"})
    with Library(settings) as copied:
        assert requested_uploads(copied, instance) == []
        assert [document.id for document in copied.documents.find()] == [upload]
        assert purge_upload(copied, upload).blobs == 2
        assert requested_uploads(copied, instance) == []


def test_no_byte_of_a_purged_upload_is_left_in_any_file(ten_tracks: Library, query: Path) -> None:
    upload = answered_upload(ten_tracks, query)
    body = ten_tracks.documents.get(upload).body
    traces = [text.encode() for text in (NAME, upload, body["content"], body["audio_id"])]
    home = ten_tracks.settings.home

    assert all(any(trace in file.read_bytes() for file in files_in(home)) for trace in traces)
    purge_upload(ten_tracks, upload)

    assert [
        (file, trace)
        for file in files_in(home)
        for trace in traces
        if trace in bytes(file) or trace in file.read_bytes()
    ] == []


def files_in(home: Path) -> list[Path]:
    return [file for file in home.rglob("*") if file.is_file()]


def test_the_bytes_of_an_upload_are_forgotten_even_if_a_soundtrack_has_the_same_audio(
    ten_tracks: Library, ten_songs: list[Path], tmp_path: Path
) -> None:
    before = contents_of(ten_tracks)
    retagged = tmp_path / "retagged.flac"
    shutil.copy(ten_songs[3], retagged)
    retag(retagged, title="The listener's own title")
    upload = answered_upload(ten_tracks, retagged)
    assert contents_of(ten_tracks) != before

    purge_upload(ten_tracks, upload)

    assert contents_of(ten_tracks) == before


def test_a_purged_upload_that_is_dropped_again_is_answered_again(
    ten_tracks: Library, query: Path, instance: dg.DagsterInstance
) -> None:
    upload = answered_upload(ten_tracks, query)
    purge_upload(ten_tracks, upload)
    drop_upload(ten_tracks, query, NAME)

    assert requested_uploads(ten_tracks, instance) == [upload]


def test_the_same_file_under_two_names_is_two_uploads(
    ten_tracks: Library, query: Path, instance: dg.DagsterInstance
) -> None:
    first, second = (drop_upload(ten_tracks, query, name) for name in ("mine.flac", "yours.flac"))
    run_uploads(ten_tracks, instance, [first, second])

    purge_upload(ten_tracks, first)

    assert first != second
    assert [blob.name for blob in ten_tracks.blobs.list("uploads")] == ["yours.flac"]
    assert len(ten_tracks.recommendations.recommended(second)) == 5


def test_what_lies_beside_the_music_in_the_folder_of_an_upload_is_purged_too(ten_tracks: Library) -> None:
    upload = UploadId("0f" * 16)
    ten_tracks.blobs.write("uploads", f"{upload}/song.mp3", b"not music")
    ten_tracks.blobs.write("uploads", f"{upload}/cover.jpg", b"a picture")

    assert purge_upload(ten_tracks, upload).blobs == 2


def test_a_step_that_ends_after_the_purge_leaves_nothing(ten_tracks: Library, query: Path) -> None:
    before = everything(ten_tracks)
    upload, run = drop_upload(ten_tracks, query, NAME), answering_run("run")
    receive_uploads(ten_tracks, [upload], run=run)
    ten_tracks.blobs = PurgingBlobs(ten_tracks, upload)

    assert analyse_uploads(ten_tracks, [upload], run=run) == []

    assert everything(ten_tracks) == before


class PurgingBlobs(LocalBlobs):
    """Local blobs that purge an upload as soon as a run reads the copy of it."""

    def __init__(self, library: Library, upload: UploadId) -> None:
        super().__init__(library.settings.blobs, lambda: library.signing_key)
        self.settings, self.upload = library.settings, upload

    @contextmanager
    def as_file(self, container: str, name: str) -> Iterator[Path]:
        with super().as_file(container, name) as path, path.open("rb") as file:
            with Library(self.settings) as other:
                purge_upload(other, self.upload)
            with tempfile.NamedTemporaryFile(suffix=path.suffix) as copy:
                shutil.copyfileobj(file, copy)
                copy.flush()
                yield Path(copy.name)


def test_a_purge_that_leaves_something_says_what(ten_tracks: Library, query: Path) -> None:
    upload = answered_upload(ten_tracks, query)
    ten_tracks.blobs = KeepingBlobs(ten_tracks.settings.blobs, lambda: ten_tracks.signing_key)

    with pytest.raises(PurgeIncomplete, match=f"Purge of {upload}: these are left: batch/{upload}/"):
        purge_upload(ten_tracks, upload)
    assert ten_tracks.documents.get(upload), "the purge can be repeated"


class KeepingBlobs(LocalBlobs):
    """Local blobs whose container `batch` keeps everything."""

    def delete(self, container: str, name: str) -> None:
        if container != "batch":
            super().delete(container, name)


def test_uploads_are_purged_when_their_time_of_retention_has_passed(
    ten_tracks: Library, query: Path, instance: dg.DagsterInstance
) -> None:
    before = everything(ten_tracks)
    upload = answered_upload(ten_tracks, query)
    ten_tracks.blobs.write("uploads", "cover.jpg", b"a picture")
    settings = ten_tracks.settings.model_copy(update={"retention_days": 30})
    now = datetime.now(UTC)

    with Library(settings) as keeping:
        assert purge_lapsed_uploads(keeping, now + timedelta(days=29)) == []
        assert lapsed_uploads(ten_tracks, now + timedelta(days=10_000)) == [], "without a retention nothing lapses"
        assert purge_lapsed_uploads(keeping, now + timedelta(days=31)) == [upload]
        assert everything(keeping) == before
        assert requested_uploads(keeping, instance) == []


@pytest.mark.parametrize("is_file_there", [True, False])
def test_an_upload_whose_document_is_lost_lapses_with_its_copy(
    ten_tracks: Library, query: Path, is_file_there: bool
) -> None:
    before = everything(ten_tracks)
    upload = answered_upload(ten_tracks, query)
    ten_tracks.documents.delete(upload)
    if not is_file_there:
        ten_tracks.blobs.delete("uploads", NAME)

    with Library(ten_tracks.settings.model_copy(update={"retention_days": 30})) as keeping:
        assert purge_lapsed_uploads(keeping, datetime.now(UTC) + timedelta(days=31)) == [upload]
        assert everything(keeping) == before
        assert keeping.recommendations.rows_of_upload(upload, content_digests=[]) == 0


NAME = "a name like no other.flac"


def answered_upload(library: Library, path: Path, *, is_of_older_version: bool = False) -> UploadId:
    """Drop and answer a file. The document of an older version records neither name, version nor content of it."""
    if not is_of_older_version:
        upload = drop_upload(library, path, NAME)
        answer_uploads(library, [upload])
        return upload
    blob = library.blobs.upload_file("uploads", NAME, path)
    upload = upload_id(NAME, blob.etag, library.signing_key)
    library.documents.put(upload, {"state": "waiting", "received": blob.modified.isoformat(), "file_name": NAME})
    answer_uploads(library, [upload])
    library.documents.update(upload, lambda body: {key: body[key] for key in body.keys() - {"blob", "etag", "content"}})
    return upload


def test_the_command_says_what_it_removed_and_refuses_an_unknown_upload(
    ten_tracks: Library, query: Path, instance: dg.DagsterInstance
) -> None:
    upload = drop_upload(ten_tracks, query, "query.flac")
    run_uploads(ten_tracks, instance, [upload])
    environment = {"MFCC_HOME": str(ten_tracks.settings.folder)}

    first = CliRunner().invoke(main, ["purge", upload], env=environment)
    again = CliRunner().invoke(main, ["purge", upload], env=environment)

    assert first.output == "Removed 2 blobs, its document, 5 recommendations, and the features of its audio.\n"
    assert (again.exit_code, again.output) == (1, f"Error: Nothing is stored of an upload {upload}.\n")
