"""What may answer, and what a library still waits for."""

import pytest

from mfcc_assets.core.errors import PublicationRefused, SettingsError
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.stages.indexing import build_index, publish_built_index
from mfcc_assets.stages.ranking import find_candidates
from mfcc_assets.stages.reporting import outstanding_work
from mfcc_assets_tests.runs import run_library


def test_an_index_without_rankings_is_not_published_by_that_step_alone(ten_tracks, instance) -> None:
    former = ten_tracks.indexes.published_version()
    ten_tracks.blobs.delete("soundtracks", "song-3.flac")
    run_library(ten_tracks, instance, job_name="features")
    index = build_index(ten_tracks).index
    list(find_candidates(ten_tracks, index, ten_tracks.shards))

    with pytest.raises(PublicationRefused, match="9 tracks have no ranking"):
        publish_built_index(ten_tracks)
    assert ten_tracks.indexes.published_version() == former


def test_recommendations_that_a_killed_run_did_not_write_are_outstanding_work(ten_tracks) -> None:
    assert outstanding_work(ten_tracks) == []
    (first, *_) = ten_tracks.tables.soundtracks()
    version = ten_tracks.indexes.published_version()
    ten_tracks.tables.replace_recommendations(first.track_id, [], method="dtw", index_version=version, run_id="killed")

    assert outstanding_work(ten_tracks) == [f"1 soundtracks lack recommendations of index {version}"]


def test_another_number_of_recommendations_is_outstanding_work(ten_tracks) -> None:
    with Library(Settings(home=ten_tracks.settings.home, recommendations=4)) as changed:
        assert outstanding_work(changed)[0].startswith("10 soundtracks lack recommendations")


def test_shards_of_another_size_are_refused_instead_of_losing_the_library(ten_tracks) -> None:
    with (
        Library(Settings(home=ten_tracks.settings.home, shard_digits=2)) as changed,
        pytest.raises(SettingsError, match=r"1 digits, and MFCC_SHARD_DIGITS says 2\. Set MFCC_SHARD_DIGITS=1"),
    ):
        _ = changed.tables
