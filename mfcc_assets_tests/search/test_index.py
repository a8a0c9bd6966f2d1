from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.search.index import IndexParts, LibraryIndex
from mfcc_assets_tests.search.test_builder import builder, tracks

PARTS = ("feature_table", "coarse_contours", "fingerprints", "vector_index", "statistics", "calibration")


class CountedParts:
    """Parts of an index that count how often each is read."""

    def __init__(self, parts: IndexParts) -> None:
        self._parts = parts
        self.reads: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        self.reads[name] += 1
        return getattr(self._parts, name)


class DamagedParts:
    """Parts of an index that cannot be read."""

    def __getattr__(self, name: str) -> Any:
        raise CorruptIndex("the stored index is corrupt", subject=name, remedy="")


@pytest.fixture
def index() -> LibraryIndex:
    return builder().build(tracks(range(3)))


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_read_once_when_it_is_first_used(index: LibraryIndex, name: str) -> None:
    parts = CountedParts(index.parts)
    lazy = replace(index, parts=parts)
    assert parts.reads == {}
    assert getattr(lazy, name) is getattr(lazy, name) is getattr(index, name)
    assert parts.reads == {name: 1}


def test_opening_an_index_reads_every_part_once(index: LibraryIndex) -> None:
    parts = CountedParts(index.parts)
    lazy = replace(index, parts=parts)
    assert lazy.load_all() is lazy.load_all() is lazy
    assert parts.reads == dict.fromkeys(PARTS, 1)


def test_the_version_needs_no_part(index: LibraryIndex) -> None:
    assert replace(index, parts=DamagedParts()).version == index.version


@pytest.mark.parametrize("name", PARTS)
def test_a_damaged_part_is_an_error_when_it_is_used(index: LibraryIndex, name: str) -> None:
    damaged = replace(index, parts=DamagedParts())
    with pytest.raises(CorruptIndex, match=name):
        getattr(damaged, name)
    with pytest.raises(CorruptIndex):
        damaged.load_all()


def test_indexes_with_the_same_parameters_and_calibration_are_calibrated_the_same(index: LibraryIndex) -> None:
    assert index.is_calibrated_as(builder().build(tracks(range(2, 5)), index))
    assert not index.is_calibrated_as(builder().build(tracks(range(2, 5))))
    assert not index.is_calibrated_as(replace(index, parameters=replace(index.parameters, ranked_count=6)))
