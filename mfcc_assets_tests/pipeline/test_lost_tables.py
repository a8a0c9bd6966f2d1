"""A database that was lost or damaged beside a published index."""

import pytest

from mfcc_assets.errors import LostTables, StoreError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.file_answer import recommend_file
from mfcc_assets_tests.damage import command, lists
from mfcc_assets_tests.runs import assert_recommendations_hold, lose_tables, run_library


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
