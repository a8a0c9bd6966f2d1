from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from mfcc_assets.features.contour import rounded
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.timbre import WIDTH
from mfcc_assets.features.track_features import Analysis, FeatureTable, TrackFeatures, track_features_of
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.search.builder import RECALIBRATED_AT_GROWTH, IndexBuilder
from mfcc_assets.search.cascade import COARSE_FACTOR
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.index import IndexParameters, LibraryIndex
from mfcc_assets.similarity.rankings import RANKINGS

FEATURES = FeaturesParameters()
PARAMETERS = IndexParameters(FEATURES, ranking="fused", ranked_count=5)


@cache
def analysis_of(number: int) -> Analysis:
    """Analysis of a made-up track of 10 to 15 s, without silence. Its steps tell recordings apart."""
    rng = np.random.default_rng(number)
    steps = rng.normal(0, 1, (20 + number % 10, 13)).cumsum(axis=0) + 5 * rng.normal(0, 1, 13)
    steps *= 10
    steps[:, 0] = 4 * np.tanh(steps[:, 0] / 100)
    cepstra = np.repeat(steps, 50, axis=0).astype(np.float32)
    return Analysis(cepstra, rng.normal(0, 1, WIDTH).astype(np.float32))


@cache
def features_of(number: int) -> TrackFeatures:
    """Features of a made-up track. They are computed once, so nothing may change them."""
    return track_features_of(analysis_of(number), FEATURES)


def tracks(numbers: Iterable[int]) -> TrackOfAudio:
    return TrackOfAudio.of({AudioId(f"{number:032x}"): TrackId(f"track {number}") for number in numbers})


@dataclass
class Store:
    """Made-up features by audio id, and the audio ids that were read."""

    read: list[str] = field(default_factory=list)

    def track_features(self, audio_id: AudioId) -> TrackFeatures:
        self.read.append(audio_id)
        return features_of(int(audio_id, 16))


def builder(
    parameters: IndexParameters = PARAMETERS, store: Store | None = None, *, small_library: int = 0
) -> IndexBuilder:
    store = store or Store()
    return IndexBuilder(parameters, store.track_features, small_library=small_library)


def without_tracks(index: LibraryIndex) -> LibraryIndex:
    """An index with the same calibration, but without tracks: nothing can be taken over."""
    return LibraryIndex.of(index.parameters, TrackOfAudio.of({}), [], index.calibration, index.calibrated_tracks)


def assert_same_index(one: LibraryIndex, other: LibraryIndex) -> None:
    assert one.version == other.version
    assert_same_rows(one, other)


def assert_same_rows(one: LibraryIndex, other: LibraryIndex) -> None:
    """All rows are equal to the last bit, whatever segments they are in."""
    rows = np.arange(len(one.tracks))
    for part in ("feature_table", "coarse_contours", "contours", "statistics"):
        assert_same_arrays(getattr(one, part).rows(rows), getattr(other, part).rows(rows))
    for row in rows.tolist():
        np.testing.assert_array_equal(one.fingerprints[row], other.fingerprints[row])
    points = one.calibration.embedding(one.feature_table)
    assert one.vector_index.search(points, 3) == other.vector_index.search(points, 3)


def assert_same_arrays(one: Any, other: Any) -> None:
    for column in fields(one):
        np.testing.assert_array_equal(getattr(one, column.name), getattr(other, column.name), strict=True)


class TestANewIndex:
    @pytest.mark.parametrize("count", [0, 1, 7])
    @pytest.mark.parametrize("name", RANKINGS)
    def test_it_has_a_row_of_each_part_for_each_track(self, name: str, count: int) -> None:
        index = builder(replace(PARAMETERS, ranking=name)).build(tracks(range(count)))
        assert len(index.feature_table) == len(index.coarse_contours) == len(index.fingerprints) == count
        assert len(index.contours) == count
        assert len(index.vector_index) == len(index.statistics) == index.calibrated_tracks == count

    def test_its_rows_hold_the_features_of_the_tracks(self) -> None:
        index, every = builder().build(tracks(range(5))), np.arange(5)
        expected = FeatureTable.of([features_of(number) for number in range(5)], FEATURES)
        assert_same_arrays(index.feature_table.rows(every), index.calibration.space.table(expected))
        contours = RaggedFrames.of([features_of(number).contour for number in range(5)], 10)
        coarse_contours, stored = contours.coarser(COARSE_FACTOR), index.coarse_contours.rows(every)
        np.testing.assert_array_equal(stored.frames, coarse_contours.frames.astype(np.float16))
        np.testing.assert_array_equal(stored.starts, coarse_contours.starts)
        for number in range(5):
            np.testing.assert_array_equal(index.contours[number], rounded(features_of(number).contour))
            np.testing.assert_array_equal(index.fingerprints[number], features_of(number).fingerprint)

    def test_every_track_of_a_small_library_is_in_the_reference_sample(self) -> None:
        index = builder().build(tracks(range(5)))
        assert list(index.calibration.reference.audio_ids) == list(index.tracks)
        reference = index.calibration.reference.statistics
        np.testing.assert_allclose(index.statistics.rows(np.arange(5)).means, reference.means, rtol=1e-5, atol=1e-5)

    def test_the_number_of_tracks_that_are_read_at_a_time_does_not_change_it(self) -> None:
        expected = builder().build(tracks(range(7)))
        assert_same_rows(replace(builder(), tracks_at_once=2).build(tracks(range(7))), expected)

    def test_what_is_read_and_measured_is_counted(self) -> None:
        counts: dict[str, tuple[int, list[int]]] = {}

        def counting(phase: str, total: int) -> Callable[[int], None]:
            counts[phase] = (total, [])
            return counts[phase][1].append

        replace(builder(), counting=counting, tracks_at_once=3).build(tracks(range(8)))

        assert counts == {"Reading features": (8, [3, 3, 2]), "Measuring usual distances": (8, [1] * 8)}

    def test_the_same_tracks_give_the_same_index(self) -> None:
        assert_same_index(builder().build(tracks(range(6))), builder().build(tracks(reversed(range(6)))))


class TestAFormerIndex:
    @pytest.mark.parametrize("name", RANKINGS)
    @pytest.mark.parametrize(
        ("before", "after"),
        [(range(6), range(3, 9)), (range(6), range(3)), (range(6), range(3, 14)), (range(6), range(6))],
        ids=["some new", "some removed", "most new", "none changed"],
    )
    def test_rows_that_are_taken_over_equal_rows_that_are_built_anew(
        self, name: str, before: range, after: range
    ) -> None:
        parameters = replace(PARAMETERS, ranking=name)
        former = builder(parameters).build(tracks(before))
        taken_over = builder(parameters).build(tracks(after), former)
        anew = builder(parameters).build(tracks(after), without_tracks(former))
        assert taken_over.calibration is anew.calibration is former.calibration
        assert taken_over.calibrated_tracks == len(before)
        assert_same_index(taken_over, anew)

    def test_its_segments_are_taken_over_as_they_are(self) -> None:
        former = builder().build(tracks(range(6)))
        grown = builder().build(tracks(range(3, 9)), former)
        assert grown.segments[0] is former.segments[0]
        assert [list(segment.tracks) for segment in grown.segments[1:]] == [list(tracks(range(6, 9)))]

    def test_a_segment_of_which_every_track_has_left_is_dropped(self) -> None:
        former = builder().build(tracks(range(6)))
        grown = builder().build(tracks(range(9)), former)
        assert builder().build(tracks(range(6)), grown).segments == [grown.segments[0]]

    def test_a_segment_is_taken_over_if_another_track_represents_its_audio(self) -> None:
        former = builder().build(tracks(range(6)))
        renamed = TrackOfAudio.of({audio_id: TrackId(f"another {track}") for audio_id, track in former.tracks.items()})
        index = builder(store=(store := Store())).build(renamed, former)
        assert (index.segments, store.read) == (former.segments, [])
        assert index.tracks == renamed
        assert index.version != former.version

    def test_only_new_tracks_are_read(self) -> None:
        former, store = builder().build(tracks(range(6))), Store()
        builder(store=store).build(tracks(range(2, 9)), former)
        assert store.read == [f"{number:032x}" for number in (6, 7, 8)]

    def test_its_calibration_is_kept_until_the_library_has_doubled(self) -> None:
        former = builder().build(tracks(range(4)))
        count = RECALIBRATED_AT_GROWTH * 4
        assert builder().build(tracks(range(count - 1)), former).is_calibrated_as(former)
        grown = builder().build(tracks(range(count)), former)
        assert grown.calibrated_tracks == count
        assert_same_index(grown, builder().build(tracks(range(count))))

    def test_its_calibration_is_kept_until_most_of_its_sample_has_left(self) -> None:
        former = builder().build(tracks(range(6)))
        assert builder().build(tracks(range(3, 11)), former).is_calibrated_as(former)
        changed = builder().build(tracks(range(4, 11)), former)
        assert changed.calibrated_tracks == 7
        assert_same_index(changed, builder().build(tracks(range(4, 11))))

    def test_it_is_said_why_its_calibration_is_not_kept(self) -> None:
        former = builder().build(tracks(range(6)))
        other = replace(former, parameters=replace(PARAMETERS, features=FeaturesParameters(contour_rate=5)))

        assert builder().reason_to_calibrate(former, tracks(range(7))) == ""
        assert "features have changed" in builder().reason_to_calibrate(other, tracks(range(7)))
        assert "ranking has changed" in builder(replace(PARAMETERS, ranking="gaussian")).reason_to_calibrate(
            former, tracks(range(7))
        )
        assert "at most 7 tracks" in builder(small_library=7).reason_to_calibrate(former, tracks(range(7)))
        assert "had 6 tracks" in builder().reason_to_calibrate(former, tracks(range(12)))
        assert "Of the 6 tracks by which it was calibrated, 1 are left" in builder().reason_to_calibrate(
            former, tracks(range(5, 11))
        )

    @pytest.mark.parametrize("after", [range(7), range(1, 5)], ids=["one added", "two removed"])
    def test_its_calibration_is_not_kept_by_a_small_library(self, after: range) -> None:
        former, small = builder().build(tracks(range(6))), builder(small_library=7)
        assert_same_index(small.build(tracks(after), former), builder().build(tracks(after)))

    def test_its_calibration_is_kept_by_a_library_that_is_just_not_small(self) -> None:
        former = builder().build(tracks(range(6)))
        assert builder(small_library=6).build(tracks(range(7)), former).is_calibrated_as(former)

    def test_it_is_ignored_if_it_has_another_ranking(self) -> None:
        former = builder(replace(PARAMETERS, ranking="gaussian")).build(tracks(range(6)))
        assert_same_index(builder().build(tracks(range(6)), former), builder().build(tracks(range(6))))

    def test_it_is_ignored_if_it_has_other_features(self) -> None:
        former = builder().build(tracks(range(6)))
        other = replace(former, parameters=replace(PARAMETERS, features=FeaturesParameters(contour_rate=5)))
        assert_same_index(builder().build(tracks(range(6)), other), builder().build(tracks(range(6))))

    def test_it_serves_an_index_that_ranks_more_tracks(self) -> None:
        former, store = builder().build(tracks(range(6))), Store()
        index = builder(replace(PARAMETERS, ranked_count=9), store).build(tracks(range(6)), former)
        assert index.parameters.ranked_count == 9
        assert index.calibration is former.calibration
        assert store.read == []

    @pytest.mark.parametrize(("before", "after"), [(0, 3), (3, 0)])
    def test_an_empty_library_has_no_calibration_to_keep(self, before: int, after: int) -> None:
        former = builder().build(tracks(range(before)))
        assert_same_index(builder().build(tracks(range(after)), former), builder().build(tracks(range(after))))
