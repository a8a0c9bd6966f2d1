"""Which file in the container is which upload, and what becomes of files with odd names, kinds and histories."""

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import purge_upload
from mfcc_assets.pipeline.upload_document import Failure, UploadDocument
from mfcc_assets.pipeline.upload_register import (
    UploadRegister,
    files_of_uploads,
    receive_files,
    received_at,
    register_of,
    upload_files,
)
from mfcc_assets.pipeline.upload_view import upload_with_id
from mfcc_assets.storage.blobs.port import Blob
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import drop_upload, requested_uploads, run_uploads
from mfcc_assets_tests.upload_steps import answer_uploads

ODD_NAMES = [
    b"caf\xe9",
    b"\xff\xfe\x80",
    b"line\nfeed\t\x07",
    b"AC\\DC",
    b"CON",
    b"dots and spaces. ",
    "e\N{COMBINING ACUTE ACCENT}".encode(),
    "\N{LATIN SMALL LETTER E WITH ACUTE}".encode(),
    b"case",
    b"CASE",
    b"\x82\xa0" * 60,
    b"f\xe9lder/so\xf1g",
    b"...Baby One More Time",
    b"..dots",
]


@pytest.fixture
def uploads(ten_tracks: Library) -> Path:
    """The folder that a listener's tools drop files into."""
    list(upload_files(ten_tracks))  # opening the library makes its folders
    return ten_tracks.settings.blobs / "uploads"


def test_dropped_files_of_any_name_are_answered_or_rejected_with_a_reason(
    ten_tracks: Library, instance: dg.DagsterInstance, uploads: Path, tmp_path: Path
) -> None:
    music = write_music(tmp_path / "query.flac", 3.0, seed=99).read_bytes()
    for number, name in enumerate(ODD_NAMES):
        file = Path(os.fsdecode(os.fsencode(uploads) + b"/" + name + b".flac"))
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"no music" if number % 2 else music)

    requested = requested_uploads(ten_tracks, instance)
    run_uploads(ten_tracks, instance, requested)

    assert len(requested) == len(ODD_NAMES)
    shown = [upload_with_id(ten_tracks, upload) for upload in requested]
    assert sorted(upload["state"] for upload in shown) == ["failed"] * 7 + ["ranked"] * 7
    assert all(upload["file_name"].isprintable() for upload in shown)
    assert {r"caf\xe9.flac", r"line\x0afeed\x09\x07.flac", r"AC\DC.flac"} < {upload["file_name"] for upload in shown}
    rejects = {reject.subject_id: reject.reason for reject in ten_tracks.catalogue.rejects()}
    for upload in shown:
        if upload["state"] == "failed":
            assert upload["failure"]["reason"] == rejects[upload["id"]]
            assert rejects[upload["id"]].startswith(upload["file_name"])
            assert rejects[upload["id"]].isprintable()


def test_what_is_no_file_neither_stops_nor_delays_the_others(
    ten_tracks: Library, instance: dg.DagsterInstance, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(uploads / "pipe.mp3")
    (uploads / "device.mp3").symlink_to("/dev/zero")
    (uploads / "link.mp3").symlink_to(uploads / "link.mp3")
    monkeypatch.chdir(uploads)  # the address of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.mp3")
    (uploads / "song.mp3").write_bytes(b"not music")

    requested_uploads(ten_tracks, instance)

    assert [document.body["file_name"] for document in ten_tracks.documents.find()] == ["song.mp3"]


def test_a_file_is_read_once_and_not_again_until_it_has_another_version(ten_tracks: Library, tmp_path: Path) -> None:
    upload = drop_upload(ten_tracks, write_music(tmp_path / "query.flac", 3.0, seed=99), "query.flac")
    register, (blob,) = register_of(ten_tracks), upload_files(ten_tracks)
    assert not register.is_known(blob)

    receive_files(ten_tracks, [blob])

    assert register.is_known(blob)
    assert register_of(ten_tracks).upload_of(blob) == upload
    assert UploadRegister(ten_tracks).is_known(blob), "the document tells another process"
    assert not register.is_known(Blob(blob.name, blob.size, "another version", blob.modified))


def test_a_touched_file_is_read_again_and_its_document_records_the_version_and_stays_as_it_is(
    ten_tracks: Library, uploads: Path, tmp_path: Path
) -> None:
    upload = drop_upload(ten_tracks, write_music(tmp_path / "query.flac", 3.0, seed=99), "query.flac")
    (before,) = answer_uploads(ten_tracks, [upload])
    (uploads / "query.flac").chmod(0o600)
    (blob,) = upload_files(ten_tracks)

    (after,) = receive_files(ten_tracks, [blob]).values()

    assert after.etag == blob.etag != before.etag
    assert after.state == before.state
    assert after.recommendations == before.recommendations


def test_files_without_a_document_are_new_again(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("uploads", "song.mp3", b"not music")
    (upload,) = requested_uploads(library, instance)
    library.documents.delete(upload)

    assert requested_uploads(library, instance) == [upload]
    assert library.documents.get(upload)


def test_a_file_in_the_folder_of_an_upload_that_is_replaced_is_answered_again(
    library: Library, instance: dg.DagsterInstance
) -> None:
    name = f"{'0f' * 16}/song.mp3"
    library.blobs.write("uploads", name, b"not music")
    (upload,) = requested_uploads(library, instance)
    run_uploads(library, instance, [upload])
    assert requested_uploads(library, instance) == []

    library.blobs.write("uploads", name, b"other bytes")

    assert requested_uploads(library, instance) == [upload]
    assert library.documents.get(upload).body["state"] == "waiting"


def test_each_of_two_files_in_a_folder_that_looks_like_an_id_is_an_upload_of_its_own(
    library: Library, instance: dg.DagsterInstance
) -> None:
    names = [f"{'0f' * 16}/{file}" for file in ("a.mp3", "b.mp3", "disc/c.mp3", "cover.jpg")]
    for name in names:
        library.blobs.write("uploads", name, b"not music")

    uploads = requested_uploads(library, instance)
    run_uploads(library, instance, uploads)

    assert sorted(str(document(library, upload).blob) for upload in uploads) == names[:3]
    assert {reject.subject_id for reject in library.catalogue.rejects()} == set(uploads)
    assert purge_upload(library, uploads[0]).blobs == 2, "the file and its copy"
    assert purge_upload(library, uploads[1]).blobs == 2
    (left,) = upload_files(library)
    (library.settings.blobs / "uploads" / left.name).chmod(0o600)
    assert requested_uploads(library, instance) == []


@pytest.mark.parametrize("is_new_process", [True, False])
def test_a_file_that_comes_into_the_folder_of_an_upload_takes_nothing_from_it(
    library: Library, instance: dg.DagsterInstance, is_new_process: bool
) -> None:
    folder = "0f" * 16
    library.blobs.write("uploads", f"{folder}/b.mp3", b"not music")
    assert requested_uploads(library, instance) == [folder]
    library.blobs.write("uploads", f"{folder}/a.mp3", b"not music")
    (library.settings.blobs / "uploads" / folder / "b.mp3").chmod(0o600)

    with Library(library.settings) as other:
        requested_uploads(other if is_new_process else library, instance)

    found = {str(stored.body["blob"]): stored.id for stored in library.documents.find()}
    assert found.keys() == {f"{folder}/a.mp3", f"{folder}/b.mp3"}
    assert found[f"{folder}/b.mp3"] == folder != found[f"{folder}/a.mp3"]


def test_a_file_that_changes_before_its_run_reads_it_is_answered_as_another_upload(
    library: Library, instance: dg.DagsterInstance
) -> None:
    library.blobs.write("uploads", "song.mp3", b"half of it")
    (first,) = requested_uploads(library, instance)
    library.blobs.write("uploads", "song.mp3", b"half of it, and the rest")

    run_uploads(library, instance, [first])
    (second,) = requested_uploads(library, instance)

    assert second != first
    assert document(library, first).failure == Failure(
        "changed",
        "song.mp3: the file changed before it was read. "
        "Its present content is another upload, which is answered by itself.",
    )
    assert document(library, second).file_name == "song.mp3"


def test_an_upload_that_was_deleted_before_it_was_read_is_answered_if_it_comes_again(
    library: Library, instance: dg.DagsterInstance
) -> None:
    library.blobs.write("uploads", "song.mp3", b"not music")
    (upload,) = requested_uploads(library, instance)
    library.blobs.delete("uploads", "song.mp3")
    run_uploads(library, instance, [upload])
    assert document(library, upload).failure == Failure(
        "gone", "The upload was deleted before it was read. Upload it again."
    )

    library.blobs.write("uploads", "song.mp3", b"not music")

    assert requested_uploads(library, instance) == [upload]
    assert document(library, upload).failure is None


def test_an_upload_that_was_purged_before_its_run_begins_leaves_no_document(library: Library) -> None:
    assert answer_uploads(library, [UploadId("0f" * 16)]) == []
    assert list(library.documents.find()) == []


def test_uploads_without_a_document_are_found_by_their_content(library: Library) -> None:
    blob = library.blobs.write("uploads", "song.mp3", b"not music")
    upload = register_of(library).upload_of(blob)

    found = files_of_uploads(library, [upload, UploadId("unknown")])

    assert {key: file.name for key, (file, _) in found.items()} == {upload: "song.mp3"}


def test_no_upload_was_received_in_the_future() -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    assert datetime.fromisoformat(received_at(Blob("a", 1, "1", tomorrow))) < tomorrow


def document(library: Library, upload: UploadId) -> UploadDocument:
    return UploadDocument.of(library.documents.get(upload).body)
