"""Nothing of a purged upload is left."""

from pathlib import Path
from unittest.mock import Mock

import dagster as dg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from mfcc_assets.cli.main import main
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import purge_upload
from mfcc_assets.pipeline.uploads import receive_uploads
from mfcc_assets.storage.blobs.port import CONTAINERS
from mfcc_assets.storage.sql.schema import CONTENTS
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import drop_upload, run_uploads
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


@pytest.fixture
def query(tmp_path: Path) -> Path:
    return write_music(tmp_path / "query.flac", 3.0, seed=99)


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


def test_a_purge_does_not_read_an_upload_whose_audio_is_known(
    ten_tracks: Library, query: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = drop_upload(ten_tracks, query, "query.flac")
    answer_uploads(ten_tracks, [upload])
    monkeypatch.setattr(ten_tracks.blobs, "as_file", Mock(side_effect=AssertionError("the copy was read")))

    assert purge_upload(ten_tracks, upload).blobs == 2


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
