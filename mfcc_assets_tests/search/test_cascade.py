from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.evaluation.metrics import recall
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.ids import AudioId
from mfcc_assets.search.cascade import COARSE_FACTOR, COARSE_MODEL, ContourQuery, candidates_to_fetch
from mfcc_assets.search.pruning import corrected_within_margin, prune
from mfcc_assets.similarity.dtw.distance import WarpedDistance
from mfcc_assets.similarity.hubness import ROUNDS, Correction, DistanceStatistics
from mfcc_assets.similarity.rankings import WARPED, rank
from mfcc_assets_tests import naive

COEFFICIENTS = 13
SCALES = np.linspace(1, 20, COEFFICIENTS)
COUNT = 5

warped_distances = st.sampled_from(
    [*WARPED.values(), WarpedDistance(band=0.1, normalised=False), WarpedDistance(band=None, normalised=True)]
)


def pruned(estimates: np.ndarray, count: int, correction: Correction | None = None) -> np.ndarray:
    return prune(*corrected_within_margin(estimates, COARSE_MODEL.margin, correction), count)


def walk(seed, frames):
    steps = np.random.default_rng(seed).standard_normal((frames, COEFFICIENTS))
    return (steps.cumsum(axis=0) * SCALES).astype(np.float32)


@pytest.fixture(scope="module")
def library():
    """Sixty contours of 40 to 120 frames, by audio id."""
    lengths = np.random.default_rng(0).integers(40, 121, 60).tolist()
    return {f"{number:02}": walk(number, frames) for number, frames in enumerate(lengths)}


@pytest.fixture(params=WARPED)
def warped(request):
    return WARPED[request.param]


def others_of(library, audio_id):
    return {other: contour for other, contour in library.items() if other != audio_id}


def stack(contours):
    return RaggedFrames.of(contours.values(), COEFFICIENTS)


def nearest(query, contours, count=COUNT):
    return query.nearest(list(contours), stack(contours), count)


def exhaustive(warped, query, contours):
    return rank(
        (audio_id, naive.warped_distance(warped, query, contour, SCALES)) for audio_id, contour in contours.items()
    )


def cells_of_all_resolutions(n, lengths, band):
    cells = 0
    for m in lengths:
        quarter = -(-n // 4), -(-m // 4)
        sixteenth = -(-quarter[0] // 4), -(-quarter[1] // 4)
        cells += sum(naive.cells_in_band(*pair, band) for pair in ((n, m), quarter, sixteenth))
    return cells * COEFFICIENTS


def test_found_tracks_are_in_order_and_have_exact_distances(library, warped):
    for audio_id in list(library)[::10]:
        others = others_of(library, audio_id)
        found = nearest(ContourQuery(library[audio_id], warped, SCALES), others)
        assert len(found) == COUNT
        assert found == rank((track.audio_id, track.distance) for track in found)
        for track in found:
            truth = naive.warped_distance(warped, library[audio_id], others[track.audio_id], SCALES)
            assert track.distance == pytest.approx(truth, rel=1e-6)


@pytest.mark.parametrize("count", [6, 7, 100])
def test_all_tracks_are_ranked_if_no_more_than_the_wanted_number_exist(library, warped, count):
    query, *others = library
    some = {audio_id: library[audio_id] for audio_id in others[:6]}
    found = nearest(ContourQuery(library[query], warped, SCALES), some, count)
    truth = exhaustive(warped, library[query], some)
    assert [track.audio_id for track in found] == [track.audio_id for track in truth]
    assert [track.distance for track in found] == pytest.approx([track.distance for track in truth], rel=1e-6)


def test_nothing_is_found_among_no_tracks(warped):
    query = ContourQuery(walk(0, 40), warped, SCALES)
    assert query.nearest([], stack({}), COUNT) == []
    assert query.coarse.distances_to(stack({}), np.empty((0, COEFFICIENTS), np.float32)).shape == (0,)
    assert pruned(np.empty(0), COUNT).size == 0
    assert query.cells == 0


def test_the_search_computes_far_fewer_cells_and_finds_the_same_tracks(library, warped):
    truth, found, cells, all_cells = {}, {}, 0, 0
    for audio_id, contour in library.items():
        others = others_of(library, audio_id)
        query, thorough = ContourQuery(contour, warped, SCALES), ContourQuery(contour, warped, SCALES)
        stacked = stack(others)
        kept = pruned(query.coarse.distances_to(stacked.coarser(COARSE_FACTOR), stacked.roughness()), COUNT)
        ids = [list(others)[row] for row in kept]
        found[audio_id] = [track.audio_id for track in query.nearest(ids, stacked.rows(kept), COUNT)]
        distances = {other: thorough.distance_within(other_contour, inf) for other, other_contour in others.items()}
        truth[audio_id] = [track.audio_id for track in rank(distances.items())]
        cells += query.cells
        all_cells += thorough.cells
    assert recall(truth, found, COUNT) >= 0.95
    assert cells < 0.5 * all_cells


def test_a_limit_saves_cells_and_finds_the_same_tracks(library, warped):
    for audio_id in list(library)[::20]:
        others = others_of(library, audio_id)
        limit = exhaustive(warped, library[audio_id], others)[COUNT - 1].distance * (1 + 1e-6)
        bounded, thorough = (
            ContourQuery(library[audio_id], warped, SCALES),
            ContourQuery(library[audio_id], warped, SCALES),
        )
        within = {other: bounded.distance_within(contour, limit) for other, contour in others.items()}
        unlimited = {other: thorough.distance_within(contour, inf) for other, contour in others.items()}
        assert rank(within.items())[:COUNT] == rank(unlimited.items())[:COUNT]
        assert sum(distance < inf for distance in within.values()) == COUNT
        assert bounded.cells < thorough.cells


@st.composite
def tracks_of_whole_numbers(draw, count):
    """Tracks of 1 to 30 frames. Many of them are 0 in most frames."""
    lengths = draw(st.lists(st.integers(1, 30), min_size=2, max_size=count))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rarely = draw(st.sampled_from([1.0, 0.2]))
    return [
        rng.integers(-9, 9, (length, COEFFICIENTS)) * (rng.random((length, COEFFICIENTS)) < rarely) * SCALES
        for length in lengths
    ]


@given(tracks_of_whole_numbers(2), warped_distances, st.floats(0, 2))
def test_a_distance_is_infinite_beyond_the_limit_and_exact_otherwise(two, warped, share):
    track, other = two
    query = ContourQuery(track, warped, SCALES)
    unlimited = query.distance_within(other, inf)
    assert unlimited == pytest.approx(naive.warped_distance(warped, track, other, SCALES), rel=1e-6)
    for limit in (unlimited, share * unlimited):
        within = query.distance_within(other, limit)
        assert within == (unlimited if unlimited <= limit else inf)


@given(tracks_of_whole_numbers(12), warped_distances, st.integers(1, 12))
def test_the_wanted_number_of_tracks_is_found_among_any_tracks(tracks, warped, count):
    contours = {f"{number:02}": track for number, track in enumerate(tracks[1:])}
    stacked = stack(contours)
    query = ContourQuery(tracks[0], warped, SCALES)
    wanted = min(count, len(contours))
    kept = pruned(query.coarse.distances_to(stacked.coarser(COARSE_FACTOR), stacked.roughness()), count)
    assert len(kept) >= wanted
    found = nearest(query, contours, count)
    assert len(found) == wanted
    for track in found:
        truth = naive.warped_distance(warped, tracks[0], contours[track.audio_id], SCALES)
        assert track.distance == pytest.approx(truth, rel=1e-6)


def test_tracks_with_negative_estimates_are_all_found(warped):
    late = np.repeat([0.0, 10.0], [32, 8])[:, np.newaxis] * SCALES
    later = np.concatenate([np.zeros((8, COEFFICIENTS)), late])
    contours = dict.fromkeys("abcdefg", later)
    stacked = stack(contours)
    query = ContourQuery(late, warped, SCALES)
    estimates = query.coarse.distances_to(stacked.coarser(COARSE_FACTOR), stacked.roughness())
    assert (estimates < 0).all()
    assert len(pruned(estimates, COUNT)) == len(contours)
    found = [(track.audio_id, track.distance) for track in nearest(query, contours)]
    assert found == [(audio_id, 0) for audio_id in "abcde"]


def test_a_copy_is_found_first_with_the_distance_0(library, warped):
    for audio_id in list(library)[::10]:
        found = nearest(ContourQuery(library[audio_id], warped, SCALES), library)
        assert (found[0].audio_id, found[0].distance) == (audio_id, 0)


def test_a_track_of_one_frame_can_be_a_query_and_can_be_found(library, warped):
    frame, other_frame = walk(1, 1), walk(2, 1)
    contours = {**library, "frame": frame, "other frame": other_frame}
    found = nearest(ContourQuery(frame, warped, SCALES), contours, len(contours))
    assert (found[0].audio_id, found[0].distance) == ("frame", 0)
    (other,) = (track for track in found if track.audio_id == "other frame")
    assert other.distance == pytest.approx(naive.warped_distance(warped, frame, other_frame, SCALES), rel=1e-6)
    assert nearest(ContourQuery(frame, warped, SCALES), contours)[0].audio_id == "frame"
    (track,) = nearest(ContourQuery(library["00"], warped, SCALES), {"frame": frame})
    assert track.distance == pytest.approx(naive.warped_distance(warped, library["00"], frame, SCALES), rel=1e-6)


@pytest.mark.parametrize("coefficients", [1, 2, 3, 5])
def test_tracks_with_fewer_coefficients_than_steps_can_be_compared(warped, coefficients):
    tracks = [np.random.default_rng(seed).standard_normal((20 + seed, coefficients)) for seed in range(8)]
    scales = np.ones(coefficients)
    ids = [AudioId(str(row)) for row in range(1, 8)]
    found = ContourQuery(tracks[0], warped, scales).nearest(ids, RaggedFrames.of(tracks[1:], coefficients), 7)
    expected = [naive.warped_distance(warped, tracks[0], track, scales) for track in tracks[1:]]
    truth = rank(zip(ids, expected, strict=True))
    assert [track.audio_id for track in found] == [track.audio_id for track in truth]


def test_cells_are_counted_for_every_coefficient_and_resolution(warped):
    contours = {"a": walk(1, 40), "b": walk(1, 40), "c": walk(1, 40)}
    query = ContourQuery(walk(0, 37), warped, SCALES)
    nearest(query, contours, count=1)
    assert query.cells == cells_of_all_resolutions(37, [40, 40, 40], warped.band)


def test_a_few_tracks_are_all_compared_exactly(warped):
    contours = {"a": walk(1, 40), "b": walk(2, 33), "c": walk(3, 1)}
    query = ContourQuery(walk(0, 37), warped, SCALES)
    nearest(query, contours, count=2)
    assert query.cells == COEFFICIENTS * sum(naive.cells_in_band(37, frames, warped.band) for frames in (40, 33, 1))


def test_a_comparison_without_a_limit_computes_the_cells_in_the_band(warped):
    query = ContourQuery(walk(0, 37), warped, SCALES)
    query.distance_within(walk(1, 40), inf)
    assert query.cells == COEFFICIENTS * naive.cells_in_band(37, 40, warped.band)
    query.distance_within(walk(1, 40), 0)
    assert query.cells == COEFFICIENTS * naive.cells_in_band(37, 40, warped.band)


def test_coarse_contours_put_copies_first_with_few_cells(library, warped):
    stacked = stack(library)
    coarse_contours, roughness = stacked.coarser(COARSE_FACTOR), stacked.roughness()
    for row, contour in enumerate(list(library.values())[:10]):
        query, thorough = ContourQuery(contour, warped, SCALES), ContourQuery(contour, warped, SCALES)
        assert query.coarse.distances_to(coarse_contours, roughness).argmin() == row
        for other in library.values():
            thorough.distance_within(other, inf)
        assert query.cells < 0.1 * thorough.cells


@given(st.lists(st.floats(-100, 100), max_size=20), st.integers(1, 20))
def test_pruning_keeps_the_nearest_tracks_in_order(estimates, count):
    kept = pruned(np.array(estimates), count).tolist()
    # An estimate can be negative, a distance cannot.
    possible = np.maximum(0, estimates)
    assert possible[kept].tolist() == sorted(possible)[: len(kept)]
    assert len(kept) >= min(count, len(estimates))


def test_pruning_keeps_tracks_that_are_a_little_farther_than_the_last_wanted_track():
    assert pruned(np.array([100, 5, 10, 11, 13, 1.0]), count=3).tolist() == [5, 1, 2, 3]


def test_pruning_keeps_a_limited_number_of_equal_tracks_and_more_for_long_lists():
    kept = {count: len(pruned(np.ones(5_000), count)) for count in (1, 10, 20)}
    assert kept[1] == kept[10] < 5_000
    assert kept[20] == 2 * kept[10]


def test_more_candidates_are_fetched_from_a_larger_library_and_for_longer_lists():
    assert candidates_to_fetch(469, 5) == 240
    fetched = [candidates_to_fetch(tracks, 5) for tracks in (58, 117, 234, 469, 10_000, 1_000_000)]
    assert fetched == sorted(set(fetched))
    assert all(found > measured for found, measured in zip(fetched, (32, 48, 93, 141), strict=False))
    assert candidates_to_fetch(469, 20) == 2 * candidates_to_fetch(469, 10)
    assert candidates_to_fetch(469, 1) == candidates_to_fetch(469, 10)
    assert all(candidates_to_fetch(tracks, 5) >= max(5, tracks) for tracks in range(30))


@pytest.mark.parametrize(
    "bad", [np.zeros((0, COEFFICIENTS)), np.full((3, COEFFICIENTS), np.nan), np.zeros(COEFFICIENTS)]
)
def test_a_contour_that_is_empty_or_not_finite_is_refused(warped, bad):
    with pytest.raises(ValueError, match="expected"):
        ContourQuery(bad, warped, SCALES)
    with pytest.raises(ValueError, match="expected"):
        ContourQuery(walk(0, 5), warped, SCALES).distance_within(bad, inf)


@pytest.mark.parametrize(
    "scales", [np.ones(12), np.zeros(COEFFICIENTS), np.full(COEFFICIENTS, np.inf), np.full(COEFFICIENTS, np.nan)]
)
def test_invalid_scales_are_refused(warped, scales):
    with pytest.raises(ValueError, match=r"scales|dimensions"):
        ContourQuery(walk(0, 5), warped, scales)


def test_a_track_with_another_number_of_coefficients_is_refused(warped):
    with pytest.raises(ValueError, match="coefficients"):
        ContourQuery(walk(0, 5), warped, SCALES).distance_within(np.zeros((5, 12)), inf)


class TestWithACorrection:
    """The ranking has two parts. The distances by the first part are known, and the search uses the second."""

    @pytest.fixture
    def weights(self):
        """Weights (24, 24, 2) of both parts for each pair. The parts share the weight of some pairs."""
        random = np.random.default_rng(0).uniform(0, 2, (24, 24))
        shared = np.minimum(1, (random + random.T) / 2)
        return np.stack([1.5 - shared, np.full((24, 24), 1.0) + shared], axis=-1)

    @pytest.fixture
    def contours(self):
        return RaggedFrames.of([walk(seed, 40 + seed) for seed in range(24)], COEFFICIENTS)

    @pytest.fixture
    def distances(self, contours, warped):
        """Distances (24, 24, 2) by both parts."""
        known = np.linalg.norm(contours.segment_means(1) - contours.segment_means(1)[:, 0], axis=2)
        last = np.array([warped.distances(contour, contours, SCALES) for contour in contours])
        return np.stack([known, last], axis=-1)

    def correction_of(self, distances, weights, query):
        statistics = DistanceStatistics.of_reference(distances, weights)
        return Correction.of(distances[query, :, :1], statistics.rows(np.array([query])), statistics, weights[query])

    def test_the_nearest_are_the_same_as_by_correcting_all_distances(self, contours, warped, distances, weights):
        ids = [AudioId(f"{row:02}") for row in range(24)]
        expected = naive.corrected_distances(distances, list(range(24)), weights, ROUNDS)
        for query in range(0, 24, 5):
            correction = self.correction_of(distances, weights, query)
            found = ContourQuery(contours[query], warped, SCALES).nearest(ids, contours, 24, correction)
            truth = rank(zip(ids, expected[query].tolist(), strict=True))
            assert {track.audio_id for track in found} == set(ids)
            by_id = {track.audio_id: track.distance for track in found}
            assert [by_id[track.audio_id] for track in truth] == pytest.approx(
                [track.distance for track in truth], rel=1e-4, abs=1e-9
            )
            assert found == rank((track.audio_id, track.distance) for track in found)

    def test_a_search_finds_most_of_the_nearest(self, contours, warped, distances, weights):
        ids, truth, searched_for = [AudioId(f"{row:02}") for row in range(24)], {}, {}
        for query in range(24):
            correction = self.correction_of(distances, weights, query)
            search = ContourQuery(contours[query], warped, SCALES)
            estimates = search.coarse.distances_to(contours.coarser(COARSE_FACTOR), contours.roughness())
            kept = pruned(estimates, COUNT, correction)
            found = search.nearest([ids[row] for row in kept], contours.rows(kept), COUNT, correction.rows(kept))
            searched_for[ids[query]] = [track.audio_id for track in found]
            every = correction(distances[query, :, 1]).tolist()
            truth[ids[query]] = [track.audio_id for track in rank(zip(ids, every, strict=True))]
        assert recall(truth, searched_for, COUNT) >= 0.95
