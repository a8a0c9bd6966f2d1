"""A database that was lost or damaged beside a published index."""

import json

import pytest

from mfcc_assets.errors import LostTables, StoreError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets_tests.damage import command, lists
from mfcc_assets_tests.runs import assert_recommendations_hold, drop_upload, lose_tables, run_library, run_uploads


@pytest.fixture
def lost(ten_tracks: Library) -> Library:
    former = lists(ten_tracks)
    assert len(former) == 10
    lose_tables(ten_tracks)
    return Library(ten_tracks.settings)


def test_lost_tables_are_told_and_a_run_makes_them_again(lost, instance, query):
    published = lost.indexes.published_version()
    for arguments in (["recommend", str(query)], ["library"], ["playlist", "song"], ["explain", "song", "song"]):
        told = command(lost.settings, *arguments)
        assert told.exit_code == 1
        assert f"the database has none of the soundtracks of index {published}, which names 10" in told.output
        assert "`mfcc sync` reads all soundtracks in again" in told.output
    with pytest.raises(LostTables):
        recommend_file(lost, query, count=5, exact=True)
    run_library(lost, instance)
    assert lost.indexes.published_version() == published
    assert_recommendations_hold(lost)
    assert len(recommend_file(lost, query, count=5).recommendations) == 5


def test_no_command_takes_lost_tables_for_an_empty_library(lost):
    told = f"the database has none of the soundtracks of index {lost.indexes.published_version()}, which names 10"
    shown = " ".join(command(lost.settings, "status").output.split())
    assert told in shown
    assert "`mfcc sync` reads all soundtracks in again" in shown
    assert "Add music" not in shown
    assert told in json.loads(command(lost.settings, "status", "--json").output)["tables_fault"]
    assert told in " ".join(command(lost.settings, "doctor").output.split())
    assert told in " ".join(command(lost.settings, "show", "song").output.split())


def test_an_upload_whose_list_was_lost_is_not_said_to_have_no_track(lost, query, instance):
    run_library(lost, instance)
    upload = drop_upload(lost, query, "query.flac")
    run_uploads(lost, instance, [upload])
    lose_tables(lost)
    for arguments in (["uploads", upload], ["uploads", upload, "--json"]):
        told = command(lost.settings, *arguments)
        assert told.exit_code == 1
        assert "the database has none of the soundtracks of index" in told.output


def test_a_damaged_database_gives_one_sentence(ten_tracks):
    ten_tracks.close()
    path = ten_tracks.settings.folder / "tables.sqlite"
    stored = path.read_bytes()
    for damaged in (b"no database" * 500, stored[:4096] + b"\xff" * (len(stored) - 4096)):
        path.write_bytes(damaged)
        told = command(ten_tracks.settings, "library")
        assert told.exit_code == 1
        assert "the file of the database is damaged" in told.output
        assert "Move it away, and run `mfcc sync`" in told.output
    with (
        Library(ten_tracks.settings) as library,
        pytest.raises(StoreError, match="file of the database is damaged"),
    ):
        library.database.check()
