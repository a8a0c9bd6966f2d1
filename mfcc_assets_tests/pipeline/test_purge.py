"""Of an upload that was purged nothing is left."""

from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from mfcc_assets.cli.main import main
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import purge_upload
from mfcc_assets.storage.blobs.port import CONTAINERS
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import drop_upload, run_uploads


def everything(library: Library) -> dict[str, object]:
    """What is stored anywhere, but for what Dagster keeps."""
    return {
        "blobs": {(container, blob.name) for container in CONTAINERS for blob in library.blobs.list(container)},
        "documents": {document.id for document in library.documents.find()},
        "rejects": library.catalogue.rejects(),
    }


@pytest.fixture
def query(tmp_path: Path) -> Path:
    return write_music(tmp_path / "query.flac", 3.0, seed=99)


def test_nothing_of_a_purged_upload_is_left_and_everything_else_is(
    ten_tracks: Library, query: Path, instance: dg.DagsterInstance
) -> None:
    before = everything(ten_tracks)
    upload = drop_upload(ten_tracks, query, "query.flac")
    run_uploads(ten_tracks, instance, [upload])
    digest = ten_tracks.documents.get(upload).body["audio_id"]

    purged = purge_upload(ten_tracks, upload)

    assert (purged.blobs, purged.had_document, purged.recommendations) == (2, True, 5)
    assert purged.audio_id == digest
    assert everything(ten_tracks) == before
    assert ten_tracks.recommendations.recommended(upload) == []


def test_features_stay_where_a_soundtrack_has_the_same_audio(
    ten_tracks: Library, ten_songs: list[Path], instance: dg.DagsterInstance
) -> None:
    before = everything(ten_tracks)
    upload = drop_upload(ten_tracks, ten_songs[3], "query.flac")
    run_uploads(ten_tracks, instance, [upload])

    assert purge_upload(ten_tracks, upload).audio_id is None
    assert everything(ten_tracks) == before
    assert set(ten_tracks.catalogue.audio()) <= ten_tracks.features.audio_with_track_features(
        ten_tracks.settings.features
    )


def test_a_rejected_upload_can_be_purged(ten_tracks: Library, tmp_path: Path, instance: dg.DagsterInstance) -> None:
    before = everything(ten_tracks)
    (tmp_path / "text.mp3").write_text("no music")
    upload = drop_upload(ten_tracks, tmp_path / "text.mp3", "text.mp3")
    run_uploads(ten_tracks, instance, [upload])
    assert len(ten_tracks.catalogue.rejects()) == 1

    purge_upload(ten_tracks, upload)

    assert everything(ten_tracks) == before


def test_the_command_says_what_it_removed_and_refuses_what_is_not_there(
    ten_tracks: Library, query: Path, instance: dg.DagsterInstance
) -> None:
    upload = drop_upload(ten_tracks, query, "query.flac")
    run_uploads(ten_tracks, instance, [upload])
    environment = {"MFCC_HOME": str(ten_tracks.settings.folder)}

    first = CliRunner().invoke(main, ["purge", upload], env=environment)
    again = CliRunner().invoke(main, ["purge", upload], env=environment)

    assert first.output == "Removed 2 blobs, its document, 5 recommendations, and the features of its audio.\n"
    assert (again.exit_code, again.output) == (1, f"Error: There is nothing of an upload {upload}.\n")
