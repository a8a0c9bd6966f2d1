"""Stored segments and calibrations, which versions of the index share."""

import gc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from mfcc_assets.errors import CorruptIndex
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.segment import Segment
from mfcc_assets.storage import index_segments
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets.storage.index_segments import SEGMENT_PARTS, IndexSegments
from mfcc_assets_tests.storage.random_index import library_index
from mfcc_assets_tests.storage.test_index_store import assert_same_calibration


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path, lambda: bytes(32))


@pytest.fixture
def segments(blobs: LocalBlobs) -> IndexSegments:
    return IndexSegments(blobs)


@pytest.fixture
def index() -> LibraryIndex:
    return library_index(1, 2, 3)


@pytest.fixture
def segment(index: LibraryIndex) -> Segment:
    return index.segments[0]


def etags(blobs: LocalBlobs) -> dict[str, str]:
    return {blob.name: blob.etag for blob in blobs.list(CEPSTRA)}


def damage(blobs: LocalBlobs, name: str) -> None:
    """Change the last byte."""
    content = blobs.read(CEPSTRA, name)
    blobs.write(CEPSTRA, name, content[:-1] + bytes([content[-1] ^ 1]))


class TestSegments:
    def test_a_written_segment_is_these_files(self, segments, blobs, segment):
        segments.write(segment)
        folder = f"index_segments/{segment.name}/"
        assert set(etags(blobs)) == {f"{folder}{part}" for part in (*SEGMENT_PARTS, "segment.json")}
        documented = str(index_segments.__doc__)
        assert {part for part in (*SEGMENT_PARTS, "segment.json") if part not in documented} == set()

    def test_a_segment_that_is_in_use_is_the_same_object(self, segments, segment):
        segments.write(segment)
        opened = segments.read(segment.name)
        assert segments.read(segment.name) is opened
        opened.load_all()
        assert segments.read(segment.name).feature_table is opened.feature_table

    def test_a_segment_that_nobody_uses_is_closed(self, segments, segment):
        segments.write(segment)
        table = segments.read(segment.name).feature_table
        gc.collect()
        assert segments.read(segment.name).feature_table is not table

    def test_a_segment_whose_files_changed_is_read_again(self, segments, blobs, segment):
        segments.write(segment)
        opened = segments.read(segment.name)
        name = f"index_segments/{segment.name}/means.npy"
        content = blobs.read(CEPSTRA, name)
        damage(blobs, name)
        blobs.write(CEPSTRA, name, content)
        again = segments.read(segment.name)
        assert again is not opened
        assert again.name == opened.name

    def test_a_segment_that_was_read_is_not_written_again(self, segments, blobs, segment):
        segments.write(segment)
        before = etags(blobs)
        segments.write(segments.read(segment.name))
        assert etags(blobs) == before

    def test_a_segment_that_was_built_again_replaces_a_damaged_one(self, segments, blobs, segment):
        segments.write(segment)
        damage(blobs, f"index_segments/{segment.name}/means.npy")
        segments.write(segment)
        segments.read(segment.name).load_all()

    def test_a_segment_under_another_name_is_corrupt(self, segments, blobs, segment):
        segments.write(segment)
        for part in (*SEGMENT_PARTS, "segment.json"):
            blobs.copy(CEPSTRA, f"index_segments/{segment.name}/{part}", CEPSTRA, f"index_segments/other/{part}")
        with pytest.raises(CorruptIndex, match=f"^index segment other: .* it holds segment {segment.name}"):
            segments.read("other")

    def test_a_missing_segment_is_corrupt(self, segments):
        with pytest.raises(CorruptIndex, match=r"^index segment 12ab: .* segment\.json is missing"):
            segments.read("12ab")
        with pytest.raises(CorruptIndex, match=r"^index segment 12ab: .* segment\.json is missing"):
            segments.read_tracks("12ab")

    def test_the_ids_of_a_segment_can_be_read_if_its_other_parts_are_damaged(self, segments, blobs, segment):
        segments.write(segment)
        for part in SEGMENT_PARTS[2:]:
            blobs.delete(CEPSTRA, f"index_segments/{segment.name}/{part}")
        assert segments.read_tracks(segment.name) == segment.tracks

    @pytest.mark.parametrize("part", SEGMENT_PARTS[:2])
    def test_damaged_ids_are_corrupt(self, segments, blobs, segment, part):
        segments.write(segment)
        damage(blobs, f"index_segments/{segment.name}/{part}")
        with pytest.raises(CorruptIndex, match=f"^index segment {segment.name}: .* {part} is not what was written"):
            segments.read_tracks(segment.name)

    def test_ids_that_are_not_ascending_are_corrupt(self, segments, segment):
        tracks = segment.tracks
        written = replace(segment)
        segments.write(written)
        tracks.audio_ids.array[[0, 1]] = tracks.audio_ids.array[[1, 0]]
        try:
            segments.write(written)
            with pytest.raises(CorruptIndex, match=f"^index segment {written.name}: "):
                segments.read(written.name)
        finally:
            tracks.audio_ids.array[[0, 1]] = tracks.audio_ids.array[[1, 0]]

    def test_two_writers_of_one_segment_leave_it_intact(self, blobs, segment):
        ready = Barrier(2)

        def write(_: int) -> None:
            ready.wait()
            IndexSegments(blobs).write(segment)

        with ThreadPoolExecutor(2) as pool:
            for _ in range(5):
                list(pool.map(write, range(2)))
                IndexSegments(blobs).read(segment.name).load_all()


class TestCalibrations:
    def test_a_written_calibration_can_be_read(self, segments, index):
        segments.write_calibration(index.calibration)
        read = segments.read_calibration(index.calibrated_as, index.parameters.ranking)
        assert_same_calibration(read, index.calibration)

    def test_a_calibration_that_is_stored_is_not_written_again(self, segments, blobs, index):
        segments.write_calibration(index.calibration)
        before = etags(blobs)
        segments.write_calibration(index.calibration)
        assert etags(blobs) == before

    @pytest.mark.parametrize("part", ["calibration.npz", "description.json"])
    def test_a_damaged_calibration_is_replaced(self, segments, blobs, index, part):
        segments.write_calibration(index.calibration)
        damage(blobs, f"index_calibrations/{index.calibrated_as}/{part}")
        with pytest.raises(CorruptIndex, match=f"^index calibration {index.calibrated_as}: "):
            segments.read_calibration(index.calibrated_as, index.parameters.ranking)
        segments.write_calibration(index.calibration)
        segments.read_calibration(index.calibrated_as, index.parameters.ranking)

    def test_a_calibration_of_an_unknown_ranking_is_corrupt(self, segments, index):
        segments.write_calibration(index.calibration)
        with pytest.raises(CorruptIndex, match=r"calibration\.npz holds no calibration of loudest"):
            segments.read_calibration(index.calibrated_as, "loudest")

    def test_the_state_of_a_calibration_changes_with_its_files(self, segments, blobs, index):
        segments.write_calibration(index.calibration)
        before = segments.calibration_state(index.calibrated_as)
        assert segments.calibration_state(index.calibrated_as) == before is not None
        damage(blobs, f"index_calibrations/{index.calibrated_as}/calibration.npz")
        assert segments.calibration_state(index.calibrated_as) != before

    def test_a_missing_calibration_is_corrupt(self, segments):
        assert segments.calibration_state("12ab") is None
        with pytest.raises(CorruptIndex, match=r"^index calibration 12ab: .* description\.json is missing"):
            segments.check_calibration("12ab")

    @pytest.mark.parametrize("part", ["calibration.npz", "description.json"])
    def test_a_calibration_that_was_cut_off_is_corrupt_before_it_is_read(self, segments, blobs, index, part):
        segments.write_calibration(index.calibration)
        name = f"index_calibrations/{index.calibrated_as}/{part}"
        segments.check_calibration(index.calibrated_as)
        blobs.write(CEPSTRA, name, blobs.read(CEPSTRA, name)[:-1])
        with pytest.raises(CorruptIndex, match=f"^index calibration {index.calibrated_as}: .* {part} "):
            segments.check_calibration(index.calibrated_as)


class TestDeletion:
    @pytest.fixture
    def stored(self, segments) -> list[LibraryIndex]:
        """Write the segments and calibrations of two indexes."""
        indexes = [library_index(1, 2), library_index(3)]
        for index in indexes:
            segments.write(index.segments[0])
            segments.write_calibration(index.calibration)
        return indexes

    @pytest.fixture
    def hours_later(self, monkeypatch) -> None:
        monkeypatch.setattr(index_segments, "_BEING_WRITTEN", timedelta(hours=-1))

    @pytest.mark.usefixtures("hours_later")
    def test_what_no_version_uses_is_deleted(self, segments, blobs, stored):
        kept, unused = stored
        segments.delete_unused([kept.segments[0].name], [kept.calibrated_as])
        assert folders(blobs) == {kept.segments[0].name, kept.calibrated_as}
        with pytest.raises(CorruptIndex):
            segments.read(unused.segments[0].name)

    def test_what_was_written_within_the_hour_may_be_of_a_version_that_is_not_written_yet(
        self, segments, blobs, stored
    ):
        before = etags(blobs)
        segments.delete_unused([], [])
        assert etags(blobs) == before
        assert len(folders(blobs)) == 2 * len(stored)

    @pytest.mark.usefixtures("hours_later")
    def test_deleting_twice_deletes_nothing_more(self, segments, blobs, stored):
        for _ in range(2):
            segments.delete_unused([stored[0].segments[0].name], [])
            assert folders(blobs) == {stored[0].segments[0].name}

    @pytest.mark.usefixtures("hours_later")
    def test_an_open_segment_can_be_used_after_it_was_deleted(self, segments, stored):
        opened = segments.read(stored[0].segments[0].name)
        opened.load_all()
        segments.delete_unused([], [])
        np.testing.assert_array_equal(opened.feature_table.means, stored[0].segments[0].feature_table.means)


def folders(blobs: LocalBlobs) -> set[str]:
    """Names of the segments and calibrations that have files."""
    return {name.split("/")[1] for name in etags(blobs)}
