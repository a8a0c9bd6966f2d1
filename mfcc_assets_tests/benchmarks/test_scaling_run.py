"""What a stage of a library takes is measured with all its items."""

from mfcc_assets.library import Library
from mfcc_assets.pipeline.opened_index import published_index
from mfcc_assets.pipeline.rankings import find_candidates, rank_candidates
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks
from mfcc_assets_tests.benchmarks.scaling_run import measured_stage


def test_a_stage_is_measured_with_all_its_items(ten_tracks: Library) -> None:
    index = published_index(ten_tracks)
    for stored in ten_tracks.rankings.stored():
        ten_tracks.rankings.remove(stored)

    found = measured_stage(lambda: list(find_candidates(ten_tracks, index, ten_tracks.shards)))
    ranked = measured_stage(lambda: list(rank_candidates(ten_tracks, index, ten_tracks.shards)))
    unchanged = measured_stage(lambda: analyse_soundtracks(ten_tracks, ten_tracks.shards, run_id="run"))

    assert (found.items, ranked.items, unchanged.items) == (10, 10, 0)
    assert found.worked > 0
    assert 0 < found.waited <= found.seconds
