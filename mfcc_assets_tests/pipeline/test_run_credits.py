"""Credits that the steps of a run share."""

from mfcc_assets.library import Library
from mfcc_assets.pipeline.run_credits import credits_in_run
from mfcc_assets.settings import Settings
from mfcc_assets_tests.ranked_library import add_track, audio_id, cepstra


def test_the_steps_of_a_run_share_the_credits_and_the_next_run_reads_them_again(settings: Settings) -> None:
    with Library(settings) as library:
        add_track(library, 1, cepstra(1), artist="Anna")
        first = credits_in_run(library, "first run")
        add_track(library, 1, cepstra(1), artist="Bo")

        assert credits_in_run(library, "first run") is first
        assert first[audio_id(1)].artist == "Anna"
        assert credits_in_run(library, "")[audio_id(1)].artist == "Bo"
        assert credits_in_run(library, "second run")[audio_id(1)].artist == "Bo"
