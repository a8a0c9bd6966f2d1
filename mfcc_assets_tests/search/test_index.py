from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.search.index import Calibration, LibraryIndex
from mfcc_assets.search.segment import SegmentParts
from mfcc_assets_tests.search.test_builder import builder, tracks, without_tracks

PARTS = ("feature_table", "coarse_contours", "contours", "fingerprints", "points", "statistics")
USES: dict[str, Callable[[LibraryIndex], object]] = {
    "feature_table": lambda index: index.feature_table,
    "coarse_contours": lambda index: index.coarse_contours,
    "contours": lambda index: index.contours,
    "fingerprints": lambda index: index.fingerprints,
    "points": lambda index: index.vector_index,
    "statistics": lambda index: index.statistics,
}


class CountedParts:
    """Parts of a segment that count how often each is read."""

    def __init__(self, parts: SegmentParts) -> None:
        self._parts = parts
        self.reads: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        self.reads[name] += 1
        return getattr(self._parts, name)


class DamagedParts:
    """Parts of a segment that cannot be read."""

    def __getattr__(self, name: str) -> Any:
        raise CorruptIndex("the stored index is corrupt", subject=name, remedy="")


def damaged_calibration() -> Calibration:
    raise CorruptIndex("the stored index is corrupt", subject="calibration", remedy="")


def with_parts(index: LibraryIndex, parts: SegmentParts) -> LibraryIndex:
    return replace(index, segments=[replace(index.segments[0], parts=parts)])


@pytest.fixture
def index() -> LibraryIndex:
    return builder().build(tracks(range(3)))


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_read_once_when_it_is_first_used(index: LibraryIndex, name: str) -> None:
    parts = CountedParts(index.segments[0].parts)
    lazy = with_parts(index, parts)
    assert parts.reads == {}
    assert USES[name](lazy) is USES[name](lazy)
    assert parts.reads == {name: 1}


def test_opening_an_index_reads_every_part_once(index: LibraryIndex) -> None:
    parts, read = CountedParts(index.segments[0].parts), list[Calibration]()

    def read_calibration() -> Calibration:
        read.append(index.calibration)
        return index.calibration

    lazy = replace(with_parts(index, parts), read_calibration=read_calibration)
    assert lazy.load_all() is lazy.load_all() is lazy
    assert parts.reads == dict.fromkeys(PARTS, 1)
    assert read == [index.calibration]


def test_the_version_needs_no_part(index: LibraryIndex) -> None:
    damaged = replace(with_parts(index, DamagedParts()), read_calibration=damaged_calibration)
    assert damaged.version == index.version


@pytest.mark.parametrize("name", PARTS)
def test_a_damaged_part_is_an_error_when_it_is_used(index: LibraryIndex, name: str) -> None:
    damaged = with_parts(index, DamagedParts())
    with pytest.raises(CorruptIndex, match=name):
        USES[name](damaged)
    with pytest.raises(CorruptIndex):
        damaged.load_all()


def test_a_damaged_calibration_is_an_error_when_it_is_used(index: LibraryIndex) -> None:
    damaged = replace(index, read_calibration=damaged_calibration)
    for use in (lambda: damaged.calibration, lambda: damaged.scales, damaged.load_all):
        with pytest.raises(CorruptIndex, match="calibration"):
            use()


def test_the_version_does_not_depend_on_the_segments(index: LibraryIndex) -> None:
    grown = builder().build(tracks(range(5)), index)
    together = builder().build(tracks(range(5)), without_tracks(index))
    assert [len(grown.segments), len(together.segments)] == [2, 1]
    assert grown.version == together.version


def test_indexes_with_the_same_parameters_and_calibration_are_calibrated_the_same(index: LibraryIndex) -> None:
    assert index.is_calibrated_as(builder().build(tracks(range(1, 5)), index))
    assert not index.is_calibrated_as(builder().build(tracks(range(1, 5))))
    assert not index.is_calibrated_as(replace(index, parameters=replace(index.parameters, ranked_count=6)))
