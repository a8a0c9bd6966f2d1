"""Stored indexes: what is written can be read, and damage is found."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.search.index import Calibration, IndexParameters, LibraryIndex
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.index_segments import SEGMENT_PARTS
from mfcc_assets.storage.index_store import IndexStore
from mfcc_assets_tests.storage.random_index import PARAMETERS, SCALES, library_index, tracks_of

ALL_PARTS = [*SEGMENT_PARTS, "segment.json", "calibration.npz", "description.json", "changes.npz", "index.json"]


def file_of(index: LibraryIndex, part: str) -> str:
    """Blob name of a file of an index with one segment."""
    if part in ("changes.npz", "index.json"):
        return f"indexes/{index.version}/{part}"
    if part in ("calibration.npz", "description.json"):
        return f"index_calibrations/{index.calibrated_as}/{part}"
    return f"index_segments/{index.segments[0].name}/{part}"


def files_of(index: LibraryIndex) -> list[str]:
    return [file_of(index, part) for part in ALL_PARTS]


def subject_of(index: LibraryIndex, part: str) -> str:
    """Name of what is damaged in messages."""
    return {
        "indexes": f"index {index.version}",
        "index_calibrations": f"index calibration {index.calibrated_as}",
        "index_segments": f"index segment {index.segments[0].name}",
    }[file_of(index, part).split("/")[0]]


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path, lambda: bytes(32))


@pytest.fixture
def indexes(blobs: LocalBlobs) -> IndexStore:
    return IndexStore(blobs)


def assert_same(one: LibraryIndex, other: LibraryIndex) -> None:
    assert one.version == other.version
    assert one.parameters == other.parameters
    assert one.tracks == other.tracks
    assert one.calibrated_tracks == other.calibrated_tracks
    assert one.is_calibrated_as(other)
    assert_same_calibration(one.calibration, other.calibration)
    assert [segment.name for segment in one.segments] == [segment.name for segment in other.segments]
    for segment, other_segment in zip(one.segments, other.segments, strict=True):
        assert segment.tracks == other_segment.tracks
        for part in ("feature_table", "statistics", "coarse_contours"):
            assert_same_arrays(getattr(segment, part), getattr(other_segment, part))
        assert list(segment.fingerprints.audio_ids) == list(other_segment.fingerprints.audio_ids)
        for name in ("frames", "starts"):
            np.testing.assert_array_equal(
                getattr(segment.fingerprints, name), getattr(other_segment.fingerprints, name), strict=True
            )


def assert_same_calibration(one: Calibration, other: Calibration) -> None:
    assert one.digest == other.digest
    assert list(one.reference.audio_ids) == list(other.reference.audio_ids)
    assert one.reference.ranking == other.reference.ranking == other.embedding.ranking
    np.testing.assert_array_equal(one.reference.scales, other.reference.scales)
    assert_same_arrays(one.reference.statistics, other.reference.statistics)
    assert_same_arrays(one.reference.tracks.feature_table, other.reference.tracks.feature_table)
    assert_same_arrays(one.reference.tracks.contours, other.reference.tracks.contours)
    np.testing.assert_array_equal(one.embedding.scales, other.embedding.scales)
    np.testing.assert_array_equal(one.embedding.spreads, other.embedding.spreads)
    np.testing.assert_array_equal(one.embedding.axes, other.embedding.axes)
    assert_same_arrays(one.space.whole, other.space.whole)
    assert_same_arrays(one.space.low, other.space.low)
    np.testing.assert_array_equal(one.centres, other.centres, strict=True)


def assert_same_arrays(one: Any, other: Any) -> None:
    for field in fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), strict=True)


class TestAnIndex:
    @pytest.mark.parametrize("seeds", [(), (1,), (3, 1, 2)], ids=["of no track", "of one track", "of three tracks"])
    def test_a_written_index_can_be_read(self, indexes, seeds):
        index = library_index(*seeds)
        indexes.write(index)
        read = indexes.read(index.version)
        assert_same(index, read)
        queries = index.calibration.embedding(library_index(4, 5).segments[0].feature_table)
        assert read.vector_index.search(queries, 2) == index.vector_index.search(queries, 2)

    def test_an_index_is_two_files_beside_its_segments_and_its_calibration(self, indexes, blobs):
        index = library_index(1, 2)
        indexes.write(index)
        assert {blob.name for blob in blobs.list("cepstra")} == set(files_of(index))

    def test_an_index_is_read_with_its_parameters(self, indexes):
        features = FeaturesParameters(CepstraParameters(fft_size=512), contour_rate=5, segments=4)
        for seeds in ((), (1, 2)):
            index = library_index(*seeds, parameters=IndexParameters(features, "article", 7))
            indexes.write(index)
            assert_same(index, indexes.read(index.version))

    def test_an_opened_index_is_kept_open(self, indexes):
        first, second, third = (library_index(1, seed) for seed in (2, 3, 4))
        for index in (first, second, third):
            indexes.write(index)
        opened = indexes.read(first.version)
        assert indexes.read(second.version) is indexes.read(second.version)
        assert indexes.read(first.version) is opened
        indexes.read(third.version)
        assert_same(indexes.read(first.version), first)

    def test_the_published_index_stays_open_whatever_else_is_read(self, indexes):
        versions = [library_index(1, seed) for seed in (2, 3, 4, 5)]
        for index in versions:
            indexes.write(index)
        indexes.publish(versions[0].version)
        published = indexes.published()
        for index in versions[1:]:
            indexes.read(index.version)
        assert indexes.published() is published

    def test_the_version_that_was_not_used_for_the_longest_time_is_closed(self, indexes):
        first, second, third = (library_index(1, seed) for seed in (2, 3, 4))
        for index in (first, second, third):
            indexes.write(index)
        opened, unused = indexes.read(first.version), indexes.read(second.version)
        assert indexes.read(first.version) is opened
        indexes.read(third.version)
        assert indexes.read(first.version) is opened
        assert indexes.read(second.version) is not unused

    def test_opening_an_index_reads_none_of_its_large_parts(self, indexes, blobs):
        index = library_index(1, 2)
        indexes.write(index)
        for part in SEGMENT_PARTS[2:]:
            damage_a_byte(blobs, file_of(index, part))
        assert indexes.read(index.version).tracks == index.tracks

    def test_an_open_index_can_be_used_after_its_blobs_are_deleted(self, indexes, blobs):
        index = library_index(1, 2, 3)
        indexes.write(index)
        opened = indexes.read(index.version).load_all()
        for name in files_of(index):
            blobs.delete("cepstra", name)
        assert_same(opened, index)

    def test_the_same_content_gives_the_same_version(self):
        assert library_index(1, 2).version == library_index(2, 1).version
        whole, fraction = (replace(PARAMETERS, features=FeaturesParameters(contour_rate=rate)) for rate in (2, 2.0))
        assert library_index(1, parameters=whole).version == library_index(1, parameters=fraction).version

    def test_any_other_content_gives_another_version(self):
        index = library_index(1, 2)
        others = [
            library_index(1),
            library_index(1, 3),
            replace(index, tracks=tracks_of(("audio 1", "track 1"), ("audio 2", "track 3"))),
            replace(index, tracks=tracks_of(("audio 1", "track 1"), ("audio 2", "another track"))),
            library_index(1, 2, scales=SCALES * (1 + 1e-15)),
            library_index(1, 2, parameters=replace(PARAMETERS, ranked_count=6)),
            library_index(1, 2, parameters=replace(PARAMETERS, ranking="article")),
            library_index(1, 2, parameters=replace(PARAMETERS, features=FeaturesParameters(contour_rate=3))),
        ]
        assert len({index.version, *(other.version for other in others)}) == len(others) + 1

    def test_writing_an_index_again_repairs_it(self, indexes, blobs):
        index = library_index(1, 2)
        indexes.write(index)
        blobs.write("cepstra", file_of(index, "prefilter.faiss"), b"")
        indexes.write(index)
        assert_same(index, indexes.read(index.version))

    def test_an_index_that_was_never_written_does_not_exist(self, indexes):
        with pytest.raises(NoPublishedIndex, match="index 123: there is no such index"):
            indexes.read("123")

    def test_an_index_whose_writer_was_killed_does_not_exist(self, indexes, blobs):
        index = library_index(1)
        indexes.write(index)
        blobs.delete("cepstra", f"indexes/{index.version}/index.json")
        with pytest.raises(NoPublishedIndex):
            indexes.read(index.version)
        with pytest.raises(NoPublishedIndex):
            indexes.publish(index.version)


class TestACorruptIndex:
    @pytest.fixture
    def index(self, indexes) -> LibraryIndex:
        index = library_index(1, 2, 3)
        indexes.write(index)
        return index

    @pytest.fixture
    def version(self, index) -> str:
        return index.version

    @pytest.mark.parametrize("part", ALL_PARTS[:-1])
    def test_a_missing_part_is_named(self, indexes, blobs, index, part):
        blobs.delete("cepstra", file_of(index, part))
        with pytest.raises(
            CorruptIndex,
            match=rf"^{subject_of(index, part)}: the stored index is corrupt: {part} is missing\. The next",
        ):
            indexes.read(index.version)

    @pytest.mark.parametrize("damage", [lambda part: part[:-1], lambda part: part + b"x", lambda _: b""])
    @pytest.mark.parametrize("part", ALL_PARTS)
    def test_a_damaged_part_is_named(self, indexes, blobs, index, part, damage):
        blobs.write("cepstra", file_of(index, part), damage(blobs.read("cepstra", file_of(index, part))))
        with pytest.raises(
            CorruptIndex, match=f"^{subject_of(index, part)}: .* {part} (is not what was|does not desc)"
        ):
            indexes.read(index.version)

    @pytest.mark.parametrize("part", ALL_PARTS)
    def test_damage_that_keeps_the_size_is_found_when_the_part_is_used(self, indexes, blobs, index, part):
        indexes.read(index.version).load_all()
        damage_a_byte(blobs, file_of(index, part))
        assert indexes.published_if_usable() is None
        with pytest.raises(
            CorruptIndex, match=f"^{subject_of(index, part)}: .* {part} (is not what was|does not desc)"
        ):
            indexes.read(index.version).load_all()

    @pytest.mark.parametrize("written", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'"text"', b"{}", b'{"parts": 1}'])
    def test_an_unreadable_description_is_corrupt(self, indexes, blobs, version, written):
        blobs.write("cepstra", f"indexes/{version}/index.json", written)
        with pytest.raises(CorruptIndex, match=rf"^index {version}: .* index\.json does not describe it"):
            indexes.read(version)

    @pytest.mark.parametrize("key", ["parameters", "calibrated_as", "calibrated_tracks", "parts"])
    @pytest.mark.parametrize("value", [None, "x", {"x": 1}])
    def test_a_description_with_wrong_values_is_corrupt(self, indexes, blobs, version, key, value):
        name = f"indexes/{version}/index.json"
        record = json.loads(blobs.read("cepstra", name))
        for altered in ({**record, key: value}, {other: record[other] for other in record if other != key}):
            blobs.write("cepstra", name, json.dumps(altered).encode())
            with pytest.raises(CorruptIndex, match=f"^index {version}: "):
                indexes.read(version)

    def test_an_index_with_the_calibration_of_another_is_not_used(self, indexes, blobs, version):
        other = library_index(1, 2)
        indexes.write(other)
        name = f"indexes/{version}/index.json"
        record = json.loads(blobs.read("cepstra", name)) | {"calibrated_as": other.calibrated_as}
        del record["crc32"]
        blobs.write("cepstra", name, json.dumps(record).encode())
        with pytest.raises(CorruptIndex, match=f"^index {version}: .* it holds index"):
            indexes.read(version)

    @pytest.mark.parametrize("key", ["calibrated_as", "ranking_revision", "features_version"])
    def test_an_index_that_is_not_what_its_name_says_is_not_used(self, indexes, blobs, version, key):
        name = f"indexes/{version}/index.json"
        record = json.loads(blobs.read("cepstra", name)) | {key: "another"}
        del record["crc32"]
        blobs.write("cepstra", name, json.dumps(record).encode())
        with pytest.raises(
            CorruptIndex, match=r"index calibration another: .* is missing|another version of this program"
        ):
            indexes.read(version)


def damage_a_byte(blobs: LocalBlobs, name: str) -> None:
    written = bytearray(blobs.read("cepstra", name))
    written[-1] ^= 1
    blobs.write("cepstra", name, bytes(written))


class TestPointers:
    def test_nothing_answers_before_an_index_is_published(self, indexes):
        indexes.write(library_index(1))
        assert indexes.published_version() is None
        with pytest.raises(NoPublishedIndex, match="mfcc add"):
            indexes.published()

    def test_the_published_index_answers_until_another_is_published(self, indexes):
        first, second = library_index(1), library_index(1, 2)
        for index in (first, second):
            indexes.write(index)
        indexes.publish(first.version)
        indexes.set_built(second.version)
        assert_same(indexes.published(), first)
        assert indexes.built_version() == second.version
        indexes.publish(second.version)
        assert indexes.published_version() == second.version
        indexes.publish(first.version)
        assert_same(indexes.published(), first)

    def test_a_missing_index_cannot_be_published(self, indexes):
        index = library_index(1)
        indexes.write(index)
        indexes.publish(index.version)
        with pytest.raises(NoPublishedIndex, match="index 123"):
            indexes.publish("123")
        assert indexes.published_version() == index.version

    def test_a_new_library_has_no_built_version(self, indexes):
        with pytest.raises(NoPublishedIndex, match="Materialise prefilter_index"):
            indexes.built_version()

    @pytest.mark.parametrize("written", [b"", b"{}", b"[]", b"\xff", b"null"])
    def test_a_damaged_pointer_with_nothing_to_restore_it_from_is_corrupt(self, indexes, blobs, written):
        for name, read in (("published", indexes.published_version), ("built", indexes.built_version)):
            blobs.write("cepstra", f"indexes/{name}.json", written)
            with pytest.raises(CorruptIndex, match=rf"cepstra/indexes/{name}\.json: .*`mfcc sync` starts one"):
                read()

    @pytest.mark.parametrize("part", ALL_PARTS)
    def test_the_former_index_answers_while_the_published_one_is_damaged(self, indexes, blobs, caplog, part):
        first, second = library_index(1), library_index(1, 2)
        for index in (first, second):
            indexes.write(index)
            indexes.publish(index.version)
        damage_a_byte(blobs, file_of(second, part))
        assert indexes.published_version() == second.version
        assert_same(indexes.published(), first)
        assert f"{subject_of(second, part)}: the stored index is corrupt" in caplog.text
        assert f"index {first.version} answers, as before" in caplog.text


class TestReadIfUsable:
    def test_a_missing_or_damaged_version_is_none(self, indexes, blobs):
        index = library_index(1, 2)
        assert indexes.read_if_usable(index.version) is None
        indexes.write(index)
        assert indexes.read_if_usable(index.version).version == index.version
        blobs.write("cepstra", file_of(index, "audio_ids.npy"), b"damaged")
        assert indexes.read_if_usable(index.version) is None


class TestQuality:
    def test_written_quality_can_be_read(self, indexes):
        assert indexes.read_quality("v1") == {}
        indexes.write_quality("v1", {"at_5": 0.25, "skewness": None})
        assert indexes.read_quality("v1") == {"at_5": 0.25, "skewness": None}
        assert indexes.read_quality("v2") == {}

    @pytest.mark.parametrize("written", [b"", b"1", b"null", b"\xff"])
    def test_damaged_quality_counts_as_not_measured_and_is_named(self, indexes, blobs, caplog, written):
        blobs.write("cepstra", "indexes/v1/quality.json", written)
        assert indexes.read_quality("v1") == {}
        assert "indexes/v1/quality.json: the stored figures are damaged" in caplog.text


class TestAttachments:
    def test_a_written_attachment_can_be_read(self, indexes):
        assert indexes.read_attachment("v1", "map.png") is None
        indexes.write_attachment("v1", "map.png", b"a picture")
        assert indexes.read_attachment("v1", "map.png") == b"a picture"
        assert indexes.read_attachment("v2", "map.png") is None

    def test_a_picture_of_an_index_is_drawn_once(self, indexes):
        pictures = iter([b"first", b"second", b"third"])
        drawn = [indexes.drawn_once(version, "map.png", lambda: next(pictures)) for version in ("v1", "v1", "v2")]
        assert drawn == [b"first", b"first", b"second"]
