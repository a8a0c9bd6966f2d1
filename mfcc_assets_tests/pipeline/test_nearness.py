"""How near the tracks of a stored library are."""

import numpy as np
import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import distances_to
from mfcc_assets.pipeline.nearness import nearness_record, pair_distances_of
from mfcc_assets.similarity.nearness import RANDOM_PAIRS, Nearness
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, publish


def test_a_small_library_is_measured_on_all_of_its_pairs_by_the_distances_that_recommendations_have(
    library: Library,
) -> None:
    add_tracks(library, *range(6))
    index, _ = publish(library)
    ids = [audio_id(number) for number in range(6)]
    every = [
        distance for row in range(6) for distance in distances_to(library, index, ids[row], ids[row + 1 :]).values()
    ]

    measured = pair_distances_of(library, index).distances

    np.testing.assert_allclose(measured, np.sort(every), rtol=1e-6)


def test_a_large_library_is_measured_on_a_sample_of_its_pairs_once(library: Library) -> None:
    add_tracks(library, *range(60))
    index, _ = publish(library)

    first, second = (pair_distances_of(library, index).distances for _ in range(2))

    assert len(first) == RANDOM_PAIRS < 60 * 59 / 2
    np.testing.assert_array_equal(first, second)


def test_the_only_track_of_a_library_has_no_pair_to_be_compared_with(library: Library) -> None:
    add_tracks(library, 1)
    index, _ = publish(library)

    assert nearness_record(pair_distances_of(library, index).nearness(0.0)) == {"closer_than": None, "nearness": None}


@pytest.mark.parametrize(("share", "word"), [(0.995, "very near"), (0.5, "not near")])
def test_programs_get_the_share_and_the_word(share: float, word: str) -> None:
    assert nearness_record(Nearness(share)) == {"closer_than": share, "nearness": word}
