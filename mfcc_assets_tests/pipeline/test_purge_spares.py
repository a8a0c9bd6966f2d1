"""A purge removes one upload, and nothing of anything else, whatever text it is given and whatever was lost."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from mfcc_assets.cli.main import main
from mfcc_assets.errors import NotAnUploadId, PurgeIncomplete
from mfcc_assets.ids import UploadId, is_upload_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import purge_upload
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import CEPSTRA, CONTAINERS, Blob, OnSkipped
from mfcc_assets.storage.sql.schema import METADATA
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.ordinary_user import as_ordinary_user
from mfcc_assets_tests.runs import drop_upload, lose_tables, requested_uploads
from mfcc_assets_tests.upload_steps import answer_uploads


def blobs(library: Library) -> set[str]:
    return {f"{container}/{blob.name}" for container in CONTAINERS for blob in library.blobs.list(container)}


def rows(library: Library) -> int:
    with library.database.reading() as connection:
        counts = [sa.select(sa.func.count()).select_from(table) for table in METADATA.sorted_tables]
        return sum(connection.execute(count).scalar_one() for count in counts)


def test_a_purge_of_a_text_that_is_in_the_name_of_any_blob_or_row_touches_nothing(
    ten_tracks: Library, query: Path
) -> None:
    upload = drop_upload(ten_tracks, query, "query.flac")
    answer_uploads(ten_tracks, [upload])
    before = blobs(ten_tracks), rows(ten_tracks), {document.id for document in ten_tracks.documents.find()}
    texts = {part for name in before[0] for piece in name.split("/") for part in (piece, *piece.split("."))}
    texts |= {track.track_id for track in ten_tracks.catalogue.soundtracks()}
    texts |= {"", "%", "..", "*", upload[:-1], upload.upper(), f"{upload}/", "\N{ARABIC-INDIC DIGIT ONE}" * 32}
    texts -= {upload}
    audio = set(ten_tracks.catalogue.track_ids_by_audio())
    assert audio < texts
    assert {"indexes", "frames", "summaries", "parquet", "query"} < texts

    for text in texts:
        if is_upload_id(text):
            assert not purge_upload(ten_tracks, UploadId(text)).was_known
        else:
            with pytest.raises(NotAnUploadId):
                purge_upload(ten_tracks, UploadId(text))

    after = blobs(ten_tracks), rows(ten_tracks), {document.id for document in ten_tracks.documents.find()}
    assert after == before


def test_the_command_refuses_what_is_no_upload_id_in_one_sentence(ten_tracks: Library) -> None:
    told = CliRunner().invoke(main, ["purge", "indexes"], env={"MFCC_HOME": str(ten_tracks.settings.folder)})

    assert told.exit_code == 1
    assert told.output.startswith("Error: indexes: this is not the id of an upload, which has 32 digits")
    assert ten_tracks.indexes.published().tracks


def test_an_upload_whose_folder_is_the_audio_id_of_a_soundtrack_is_purged_without_the_soundtrack(
    ten_tracks: Library, query: Path
) -> None:
    before = blobs(ten_tracks)
    audio_id = next(iter(ten_tracks.catalogue.track_ids_by_audio()))
    upload = drop_upload(ten_tracks, query, f"{audio_id}/x.flac")
    assert str(upload) == audio_id
    answer_uploads(ten_tracks, [upload])

    assert purge_upload(ten_tracks, upload).blobs == 2

    assert blobs(ten_tracks) == before


def test_the_features_of_a_soundtrack_stay_even_if_the_tables_were_lost(
    ten_tracks: Library, ten_songs: list[Path]
) -> None:
    before = blobs(ten_tracks)
    upload = drop_upload(ten_tracks, ten_songs[3], "query.flac")
    answer_uploads(ten_tracks, [upload])
    lose_tables(ten_tracks)

    with Library(ten_tracks.settings) as library:
        assert purge_upload(library, upload).audio_id is None
        assert blobs(library) == before


def test_lists_and_rows_that_are_left_of_an_upload_can_be_purged(ten_tracks: Library, query: Path) -> None:
    before = blobs(ten_tracks), rows(ten_tracks)
    upload = drop_upload(ten_tracks, query, "query.flac")
    answer_uploads(ten_tracks, [upload])
    content = ten_tracks.documents.get(upload).body
    ten_tracks.documents.delete(upload)
    ten_tracks.blobs.delete("uploads", "query.flac")

    assert purge_upload(ten_tracks, upload).was_known

    assert (blobs(ten_tracks), rows(ten_tracks)) == before
    assert not [blob for blob in ten_tracks.blobs.list(CEPSTRA) if content["audio_id"] in blob.name]


def lose_documents_and_key(library: Library) -> Library:
    library.close()
    for path in library.settings.folder.glob("documents.sqlite*"):
        path.unlink()
    (library.settings.folder / "signing.key").unlink()
    return Library(library.settings)


def test_the_file_of_an_upload_is_purged_even_if_the_documents_and_the_key_are_lost(
    ten_tracks: Library, query: Path
) -> None:
    before = blobs(ten_tracks)
    upload = drop_upload(ten_tracks, query, "an album/query?.flac")
    answer_uploads(ten_tracks, [upload])
    drop_upload(ten_tracks, write_music(query.with_name("other.flac"), 3.0, seed=98), "query?.flac")

    with lose_documents_and_key(ten_tracks) as library:
        assert purge_upload(library, upload).blobs == 2
        assert blobs(library) == before | {"uploads/query?.flac"}


def test_a_purge_tells_which_files_may_be_the_one_of_an_upload_whose_document_is_lost(
    ten_tracks: Library, query: Path, instance: dg.DagsterInstance
) -> None:
    upload = drop_upload(ten_tracks, query, "query.flac")
    answer_uploads(ten_tracks, [upload])

    with lose_documents_and_key(ten_tracks) as library:
        (again,) = requested_uploads(library, instance)
        with pytest.raises(PurgeIncomplete, match=rf"Purge of {upload}: .* uploads/query\.flac"):
            purge_upload(library, upload)
        assert not purge_upload(library, upload).was_known
        assert purge_upload(library, again).blobs == 1


@pytest.mark.parametrize("is_document_lost", [False, True])
def test_a_purge_tells_of_the_file_of_an_upload_that_may_not_be_read_any_more(
    ten_tracks: Library, query: Path, is_document_lost: bool
) -> None:
    before = blobs(ten_tracks)
    upload = drop_upload(ten_tracks, query, "query.flac")
    answer_uploads(ten_tracks, [upload])
    if is_document_lost:
        ten_tracks.documents.delete(upload)
    (ten_tracks.settings.blobs / "uploads/query.flac").chmod(0)

    told = rf"Purge of {upload}: these files may be the upload, .* uploads/query\.flac\. Everything else"
    with as_ordinary_user(), pytest.raises(PurgeIncomplete, match=told):
        purge_upload(ten_tracks, upload)

    assert blobs(ten_tracks) == before | {"uploads/query.flac"}


def test_an_upload_whose_copy_alone_tells_its_content_is_purged_when_the_copy_may_be_read(
    ten_tracks: Library, query: Path
) -> None:
    before = blobs(ten_tracks)
    upload = drop_upload(ten_tracks, query, "query.flac")
    answer_uploads(ten_tracks, [upload])
    ten_tracks.documents.delete(upload)
    ten_tracks.blobs.delete("uploads", "query.flac")
    copy = ten_tracks.settings.blobs / f"batch/{upload}/query.flac"

    copy.chmod(0)
    with as_ordinary_user(), pytest.raises(PurgeIncomplete, match="so nothing tells what was computed from it"):
        purge_upload(ten_tracks, upload)
    copy.chmod(0o600)

    assert purge_upload(ten_tracks, upload).audio_id
    assert blobs(ten_tracks) == before


class LeavingBlobs(LocalBlobs):
    """Local blobs from which the files of other listeners go as soon as they are listed."""

    def list(self, container: str, prefix: str = "", on_skipped: OnSkipped | None = None) -> Iterator[Blob]:
        for blob in super().list(container, prefix, on_skipped):
            if container == "uploads" and blob.name != "query.flac":
                self.delete(container, blob.name)
            yield blob


def test_a_file_of_another_listener_that_goes_during_a_purge_does_not_end_it(ten_tracks: Library, query: Path) -> None:
    upload = drop_upload(ten_tracks, query, "query.flac")
    ten_tracks.blobs.write("uploads", "other.flac", b"other music")
    ten_tracks.blobs = LeavingBlobs(ten_tracks.settings.blobs, lambda: ten_tracks.signing_key)

    assert purge_upload(ten_tracks, upload).blobs == 1
