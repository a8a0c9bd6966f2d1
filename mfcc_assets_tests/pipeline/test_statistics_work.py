"""Distance statistics that an engine measures equal those that the builder of the index measures."""

import numpy as np
import pytest

from mfcc_assets.compute.context import Context
from mfcc_assets.errors import CorruptIndex
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.statistics_work import STATISTICS, TRACKS, items_of, measure_statistics
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.pairwise import Tracks
from mfcc_assets_tests.ranked_library import add_tracks

COUNT = 10


@pytest.fixture
def index(library: Library) -> LibraryIndex:
    add_tracks(library, *range(COUNT))
    return build_index(library).index


def tracks_of(index: LibraryIndex) -> Tracks:
    rows = np.arange(COUNT)
    return Tracks(index.feature_table.rows(rows), index.contours.rows(rows))


def test_the_statistics_are_those_against_the_reference(library: Library, index: LibraryIndex) -> None:
    tracks, ids = tracks_of(index), index.tracks.audio_ids

    for table in items_of(ids, tracks, index.parameters.ranking, 4):
        assert table.schema == TRACKS
        (batch,) = table.combine_chunks().to_batches()
        found = measure_statistics(Context(library), index.calibration.digest, batch)
        assert found.schema == STATISTICS
        for key, row in zip(batch["key"].to_pylist(), found.to_pylist(), strict=True):
            (number,) = index.tracks.rows([key])
            expected = index.calibration.reference.statistics_of({key}, tracks[int(number)])
            assert row == {"means": expected.means[0].tolist(), "deviations": expected.deviations[0].tolist()}


def test_the_index_has_these_statistics(index: LibraryIndex) -> None:
    tracks, statistics = tracks_of(index), index.statistics.rows(np.arange(COUNT))

    for number, audio_id in enumerate(index.tracks.audio_ids):
        expected = index.calibration.reference.statistics_of({audio_id}, tracks[number])
        np.testing.assert_array_equal(statistics.means[number], expected.means[0])
        np.testing.assert_array_equal(statistics.deviations[number], expected.deviations[0])


def test_so_many_tracks_are_in_memory_at_once(index: LibraryIndex) -> None:
    tables = items_of(index.tracks.audio_ids, tracks_of(index), index.parameters.ranking, 4)

    assert [table.num_rows for table in tables] == [4, 4, 2]


def test_a_calibration_that_is_not_stored_is_an_error(library: Library, index: LibraryIndex) -> None:
    (table,) = items_of(index.tracks.audio_ids, tracks_of(index), index.parameters.ranking, COUNT)

    with pytest.raises(CorruptIndex):
        measure_statistics(Context(library), "0" * 12, table.to_batches()[0])
