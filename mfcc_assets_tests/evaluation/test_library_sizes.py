"""Scores of rankings in libraries of several sizes."""

from mfcc_assets.evaluation.library_sizes import score_sizes
from mfcc_assets.evaluation.scores import RIVALS
from mfcc_assets_tests.evaluation.made_up import PARAMETERS, made_up_tracks
from mfcc_assets_tests.evaluation.progress import ignore_progress


def test_each_size_is_drawn_several_times_and_always_has_queries() -> None:
    analysed = made_up_tracks(5, 4)

    found = dict(score_sizes(analysed, ["gaussian"], {}, PARAMETERS, ignore_progress, sizes=(6, 12), draws=2))

    assert list(found) == [6, 12]
    for size, scores in found.items():
        assert scores.draws == 2
        assert 3 <= scores.queries <= size
        assert 1 <= scores.labels <= 5
        assert set(scores.p_at_5) == {"gaussian", "fused", *RIVALS}
        assert all(0 < p_at_5 <= 3 / 5 for p_at_5 in scores.p_at_5.values()), "an artist has three other tracks"
        for rival in RIVALS:
            assert 0 <= scores.draws_above[rival] + scores.draws_below[rival] <= 2
    again = dict(score_sizes(analysed, ["gaussian"], {}, PARAMETERS, ignore_progress, sizes=(6, 12), draws=2))
    assert again == found


def test_sizes_that_cannot_be_drawn_are_left_out() -> None:
    few = made_up_tracks(5, 4)
    assert list(score_sizes(few, ["gaussian"], {}, PARAMETERS, ignore_progress, sizes=(20, 50))) == []
    without_labels = made_up_tracks(8, 1)
    assert list(score_sizes(without_labels, ["gaussian"], {}, PARAMETERS, ignore_progress, sizes=(5,))) == []
