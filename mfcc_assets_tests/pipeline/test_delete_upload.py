"""A deleted upload leaves no trace in any store, and nothing of it comes back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from mfcc_assets.errors import DocumentNotFound, NotAnUploadId, PurgeIncomplete
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline import delete_upload as deletion
from mfcc_assets.pipeline.delete_upload import delete_upload
from mfcc_assets.pipeline.purge import purge_lapsed_uploads
from mfcc_assets.pipeline.shares import share_upload, shared_document
from mfcc_assets.pipeline.upload_register import receive_files
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.pipeline.uploads import receive_uploads
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import CONTAINERS, Blob
from mfcc_assets.storage.sql.schema import METADATA
from mfcc_assets_tests.runs import requested_uploads
from mfcc_assets_tests.upload_steps import STEPS, answer_uploads, answering_run

UPLOAD = UploadId("0f" * 16)
NAME = "a name like no other.flac"


@pytest.fixture
def uploaded(ten_tracks: Library, query: Path) -> Library:
    ten_tracks.blobs.upload_file("uploads", f"{UPLOAD}/{NAME}", query)
    return ten_tracks


def texts_of(library: Library) -> list[str]:
    """Return what tells of the upload: its id, the name of its file, its audio id, and its content digest."""
    body = library.documents.get(UPLOAD).body
    return [UPLOAD, NAME, *(body[key] for key in ("audio_id", "content") if key in body)]


def traces(library: Library, texts: list[str]) -> list[str]:
    """Look into every file, row, document and blob for some texts."""
    found = []
    for file in library.settings.folder.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        found += [f"file {file}: {text}" for text in texts if text.encode() in bytes(file) + content]
    with library.database.reading() as connection:
        for table in METADATA.sorted_tables:
            rows = repr(connection.execute(sa.select(table)).all())
            found += [f"table {table.name}: {text}" for text in texts if text in rows]
    for document in library.documents.find():
        found += [f"document {document.id}: {text}" for text in texts if text in f"{document.id} {document.body}"]
    for container in CONTAINERS:
        names = " ".join(blob.name for blob in library.blobs.list(container))
        found += [f"container {container}: {text}" for text in texts if text in names]
    return found


def test_nothing_of_a_deleted_upload_is_left_in_any_store(uploaded: Library, instance: dg.DagsterInstance) -> None:
    answer_uploads(uploaded, [UPLOAD])
    token = share_upload(uploaded, UPLOAD, seconds=60)
    texts = texts_of(uploaded)
    assert len(texts) == 4
    for text in texts:
        assert traces(uploaded, [text]), "the search finds what is there"

    purged = delete_upload(uploaded, UPLOAD)

    assert (purged.blobs, purged.had_document, purged.recommendations) == (2, True, 5)
    assert traces(uploaded, texts) == []
    with pytest.raises(DocumentNotFound):
        upload_state(uploaded, UPLOAD)
    with pytest.raises(DocumentNotFound):
        shared_document(uploaded, token)
    assert requested_uploads(uploaded, instance) == []


def test_nothing_of_a_lapsed_upload_is_left_in_any_store(uploaded: Library) -> None:
    answer_uploads(uploaded, [UPLOAD])
    share_upload(uploaded, UPLOAD, seconds=60)
    texts = texts_of(uploaded)
    with Library(uploaded.settings.model_copy(update={"retention_days": 30})) as keeping:
        assert purge_lapsed_uploads(keeping, datetime.now(UTC) + timedelta(days=31)) == [UPLOAD]
        assert traces(keeping, texts) == []


@pytest.mark.parametrize("steps", range(len(STEPS) + 1))
def test_an_upload_is_deleted_after_any_step_and_the_later_steps_bring_nothing_back(
    uploaded: Library, steps: int
) -> None:
    run = answering_run("run")
    answer_uploads(uploaded, [UPLOAD])
    texts = texts_of(uploaded)
    for step in STEPS[:steps]:
        step(uploaded, [UPLOAD], run=run)

    delete_upload(uploaded, UPLOAD)
    for step in STEPS[steps:]:
        step(uploaded, [UPLOAD], run=run)

    assert traces(uploaded, texts) == []


def test_an_upload_that_waits_is_deleted(uploaded: Library) -> None:
    delete_upload(uploaded, UPLOAD)
    assert traces(uploaded, [UPLOAD, NAME]) == []


def test_an_upload_that_was_refused_is_deleted_with_its_reject(ten_tracks: Library) -> None:
    ten_tracks.blobs.write("uploads", f"{UPLOAD}/{NAME}", b"not music")
    answer_uploads(ten_tracks, [UPLOAD])
    texts = texts_of(ten_tracks)
    assert len(ten_tracks.catalogue.rejects()) == 1
    delete_upload(ten_tracks, UPLOAD)
    assert traces(ten_tracks, texts) == []


def test_deletions_during_a_run_leave_nothing(uploaded: Library, query: Path) -> None:
    texts: list[str] = []
    for _ in range(4):
        uploaded.blobs.upload_file("uploads", f"{UPLOAD}/{NAME}", query)
        if not texts:
            answer_uploads(uploaded, [UPLOAD])
            texts = texts_of(uploaded)
        with ThreadPoolExecutor(1) as pool, Library(uploaded.settings) as other:
            answering = pool.submit(answer_uploads, other, [UPLOAD])
            delete_upload(uploaded, UPLOAD)
            answering.result()
        assert traces(uploaded, texts) == []


class BlobsThatInterrupt(LocalBlobs):
    """Local blobs that call something before a file is read or copied, once."""

    def __init__(self, library: Library, interrupt: Callable[[], object]) -> None:
        super().__init__(library.settings.blobs, lambda: library.signing_key)
        self.interrupt: Callable[[], object] | None = interrupt

    def copy(self, source_container: str, source_name: str, container: str, name: str) -> Blob:
        self.call()
        return super().copy(source_container, source_name, container, name)

    def exists(self, container: str, name: str) -> bool:
        self.call()
        return super().exists(container, name)

    def call(self) -> None:
        if self.interrupt is not None:
            interrupt, self.interrupt = self.interrupt, None
            interrupt()


def purge_by_another(library: Library) -> Callable[[], object]:
    def purge() -> None:
        with Library(library.settings) as other:
            delete_upload(other, UPLOAD)

    return purge


def test_a_purge_between_the_claim_and_the_copy_leaves_nothing(uploaded: Library) -> None:
    receive_files(uploaded, list(uploaded.blobs.list("uploads")))
    uploaded.blobs = BlobsThatInterrupt(uploaded, purge_by_another(uploaded))
    assert receive_uploads(uploaded, [UPLOAD], run=answering_run("run")) == []
    assert traces(uploaded, [UPLOAD, NAME]) == []


def test_a_purge_while_a_file_is_identified_leaves_no_document(uploaded: Library) -> None:
    files = list(uploaded.blobs.list("uploads"))
    uploaded.blobs = BlobsThatInterrupt(uploaded, lambda: uploaded.blobs.delete("uploads", files[0].name))
    assert receive_files(uploaded, files) == {}
    assert traces(uploaded, [UPLOAD, NAME]) == []


def test_a_deletion_is_repeated_and_then_says_what_is_left(uploaded: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_uploads(uploaded, [UPLOAD])
    monkeypatch.setattr(deletion, "_PAUSE_SECONDS", 0)
    uploaded.blobs = KeepingBlobs(uploaded.settings.blobs, lambda: uploaded.signing_key, times=2)
    assert delete_upload(uploaded, UPLOAD).had_document

    uploaded.blobs.write("batch", f"{UPLOAD}/{NAME}", b"again")
    uploaded.blobs = KeepingBlobs(uploaded.settings.blobs, lambda: uploaded.signing_key, times=100)
    with pytest.raises(PurgeIncomplete):
        delete_upload(uploaded, UPLOAD)


class KeepingBlobs(LocalBlobs):
    """Local blobs whose container `batch` keeps everything for some deletions."""

    def __init__(self, folder: Path, key: Callable[[], bytes], *, times: int) -> None:
        super().__init__(folder, key)
        self.times = times

    def delete(self, container: str, name: str) -> None:
        if container == "batch" and self.times:
            self.times -= 1
            return
        super().delete(container, name)


def test_only_uploads_can_be_deleted(library: Library) -> None:
    with pytest.raises(NotAnUploadId):
        delete_upload(library, UploadId("../soundtracks"))
