"""Versions of the index that share segments."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.index_store import IndexStore
from mfcc_assets_tests.storage.random_index import library_index, tracks_of
from mfcc_assets_tests.storage.test_index_store import assert_same, damage_a_byte, file_of


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path, lambda: bytes(32))


@pytest.fixture
def indexes(blobs: LocalBlobs) -> IndexStore:
    return IndexStore(blobs)


@pytest.fixture
def versions(indexes) -> tuple[LibraryIndex, LibraryIndex]:
    """Write two versions whose tracks are in one segment. The second version does not have all of them."""
    first = library_index(1, 2, 3)
    second = replace(first, tracks=tracks_of(("audio 1", "track 1"), ("audio 3", "another track")))
    for index in (first, second):
        indexes.write(index)
    return first, second


@pytest.fixture
def hours_later(monkeypatch) -> None:
    monkeypatch.setattr("mfcc_assets.storage.index_segments._BEING_WRITTEN", timedelta(hours=-1))


def test_a_version_has_only_its_own_tracks_of_a_segment(indexes, versions):
    assert [dict(indexes.read(index.version).tracks) for index in versions] == [
        {"audio 1": "track 1", "audio 2": "track 2", "audio 3": "track 3"},
        {"audio 1": "track 1", "audio 3": "another track"},
    ]
    opened = indexes.read(versions[1].version)
    points = versions[0].calibration.embedding(versions[0].segments[0].feature_table)
    assert {audio for found in opened.vector_index.search(points, 5) for audio in found} == {"audio 1", "audio 3"}


def test_versions_share_an_open_segment(indexes, versions):
    first, second = (indexes.read(index.version) for index in versions)
    assert first.segments[0] is second.segments[0]


def test_damage_of_a_segment_damages_every_version_with_it(indexes, blobs, versions):
    damage_a_byte(blobs, file_of(versions[0], "means.npy"))
    for index in versions:
        with pytest.raises(CorruptIndex, match=r"^index segment .*means\.npy is not what was written"):
            indexes.read(index.version).load_all()


@pytest.mark.usefixtures("hours_later")
def test_a_segment_is_deleted_with_the_last_version_that_uses_it(indexes, blobs, versions):
    for index in versions:
        assert_same(indexes.read(index.version), index)
        indexes.delete(index.version)
        indexes.delete_unused_segments()
    assert list(blobs.list("cepstra")) == []


@pytest.mark.usefixtures("hours_later")
@pytest.mark.parametrize("written", [b"", b"{}", b'{"segments": 1, "parts": {}}'])
def test_nothing_is_deleted_while_a_description_is_damaged(indexes, blobs, versions, written):
    blobs.write("cepstra", file_of(versions[0], "index.json"), written)
    indexes.delete(versions[1].version)
    before = {blob.name for blob in blobs.list("cepstra")}
    indexes.delete_unused_segments()
    assert {blob.name for blob in blobs.list("cepstra")} == before


@pytest.mark.usefixtures("hours_later")
@pytest.mark.parametrize("change", [{"ranking_revision": "another"}, {"segments": None}])
def test_versions_of_another_program_keep_what_they_use(indexes, blobs, versions, change):
    name = file_of(versions[0], "index.json")
    record = {key: value for key, value in {**json.loads(blobs.read("cepstra", name)), **change}.items() if value}
    del record["crc32"]
    blobs.write("cepstra", name, json.dumps(record).encode())
    indexes.delete(versions[1].version)
    indexes.delete_unused_segments()
    kept = {blob.name.split("/")[0] for blob in blobs.list("cepstra")}
    assert kept == {"indexes", "index_calibrations", *(["index_segments"] if "segments" not in change else [])}


def test_the_intact_segments_of_a_damaged_version_remain(indexes, blobs):
    one, other = library_index(1, 2), library_index(3, 4)
    together = replace(
        one,
        tracks=tracks_of(*((f"audio {seed}", f"track {seed}") for seed in (1, 2, 3, 4))),
        segments=[one.segments[0], other.segments[0]],
    )
    indexes.write(together)
    damage_a_byte(blobs, file_of(other, "means.npy"))
    remains = indexes.remains(together.version)
    assert remains.tracks == together.tracks
    assert [segment.name for segment in remains.segments] == [one.segments[0].name]
    damage_a_byte(blobs, file_of(other, "audio_ids.npy"))
    assert indexes.remains(together.version) is None


def test_two_writers_of_one_version_leave_it_intact(blobs):
    index, ready = library_index(1, 2, 3), Barrier(2)

    def write(_: int) -> None:
        ready.wait()
        IndexStore(blobs).write(index)

    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            list(pool.map(write, range(2)))
            assert_same(IndexStore(blobs).read(index.version).load_all(), index)
