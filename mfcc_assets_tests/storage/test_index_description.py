"""Descriptions of versions of the index."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.errors import BlobNotFound, CorruptIndex
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.search.id_arrays import TrackOfAudio
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.search.segment import Segment
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets.storage.index_description import IndexDescription
from mfcc_assets.storage.part_folder import PartFolder
from mfcc_assets_tests.storage.random_index import library_index

AUDIO_IDS = st.integers(0, 15).map(lambda number: f"audio {number}")
TRACK_IDS = st.integers(0, 15).map(lambda number: f"track {number}")


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path, lambda: bytes(32))


@pytest.fixture
def folder(blobs: LocalBlobs) -> PartFolder:
    return PartFolder(blobs, "indexes/v1", "index.json", "index v1")


def index_of(tracks: Mapping[str, str], *segments: Mapping[str, str]) -> LibraryIndex:
    """An index of tracks whose segments have only ids."""

    def of(ids: Mapping[str, str]) -> TrackOfAudio:
        return TrackOfAudio.of({AudioId(audio): TrackId(track) for audio, track in ids.items()})

    template = library_index(1)
    return replace(
        template,
        tracks=of(tracks),
        segments=[Segment(of(segment), "made with", template.segments[0].parts) for segment in segments],
    )


@given(st.dictionaries(AUDIO_IDS, st.tuples(TRACK_IDS, TRACK_IDS, st.integers(0, 2), st.booleans()), min_size=1))
def test_the_tracks_are_the_same_after_a_description(drawn: dict[str, tuple[str, str, int, bool]]) -> None:
    """Tracks are in one of three segments, with the same or another track id, and some have left the index."""
    tracks = {audio: now for audio, (_, now, _, has_left) in drawn.items() if not has_left}
    segments = [{audio: then for audio, (then, _, of, _) in drawn.items() if of == number} for number in range(3)]
    index = index_of(tracks, *segments)

    described = IndexDescription.of(index).tracks([segment.tracks for segment in index.segments])

    assert described == index.tracks
    for name in ("audio_ids", "track_ids"):
        assert getattr(described, name).array.dtype == getattr(index.tracks, name).array.dtype
    assert replace(index, tracks=described).version == index.version


def test_only_what_differs_from_the_segments_is_described() -> None:
    index = index_of({"a": "1", "c": "9", "d": "4"}, {"a": "1", "b": "2", "c": "3"}, {"d": "4"})
    described = IndexDescription.of(index)
    assert described.left_out.tolist() == [b"b"]
    assert (described.changed.tolist(), described.changed_to.tolist()) == ([b"c"], [b"9"])
    assert described.segments == [segment.name for segment in index.segments]


@pytest.mark.parametrize("tracks", [{"a": "1", "c": "a longer name"}, {"a": "1", "b": "2", "c": "3"}])
def test_a_written_description_can_be_read(folder: PartFolder, tracks: dict[str, str]) -> None:
    written = IndexDescription.of(index_of(tracks, {"a": "1", "b": "2", "c": "3"}))
    written.write(folder, len(tracks))

    read = IndexDescription.read(folder)

    assert vars(read).keys() == vars(written).keys()
    for name, value in vars(written).items():
        np.testing.assert_array_equal(getattr(read, name), value)


def test_a_version_that_does_not_exist_is_not_found(folder: PartFolder) -> None:
    with pytest.raises(BlobNotFound, match="index v1"):
        IndexDescription.read(folder)


@pytest.mark.parametrize("key", ["parameters", "calibrated_tracks", "calibrated_as", "features_version"])
@pytest.mark.parametrize("value", [None, "x", {"x": 1}, []])
def test_a_description_with_a_wrong_value_is_corrupt(
    folder: PartFolder, blobs: LocalBlobs, key: str, value: object
) -> None:
    altered = {key: value}
    if (key, value) == ("calibrated_as", "x"):
        altered = {key: 1}
    assert_corrupt(folder, blobs, altered)


@pytest.mark.parametrize("value", [None, "12ab", [], [1], {"12ab": 1}])
def test_a_description_without_a_list_of_segments_is_corrupt(
    folder: PartFolder, blobs: LocalBlobs, value: object
) -> None:
    assert_corrupt(folder, blobs, {"segments": value})


def assert_corrupt(folder: PartFolder, blobs: LocalBlobs, altered: Mapping[str, object]) -> None:
    IndexDescription.of(index_of({"a": "1"}, {"a": "1"})).write(folder, 1)
    record = json.loads(blobs.read(CEPSTRA, "indexes/v1/index.json")) | altered
    del record["crc32"]
    blobs.write(CEPSTRA, "indexes/v1/index.json", json.dumps(record).encode())
    with pytest.raises(CorruptIndex, match=r"^index v1: "):
        IndexDescription.read(folder)


def test_an_index_of_an_older_program_says_that_another_one_will_be_built(
    folder: PartFolder, blobs: LocalBlobs
) -> None:
    IndexDescription.of(index_of({"a": "1"}, {"a": "1"})).write(folder, 1)
    record = json.loads(blobs.read(CEPSTRA, "indexes/v1/index.json"))
    record["parts"] = {"means.npy": {"bytes": 1, "crc32": 1}}
    for name in ("segments", "crc32"):
        del record[name]
    blobs.write(CEPSTRA, "indexes/v1/index.json", json.dumps(record).encode())
    with pytest.raises(CorruptIndex) as raised:
        IndexDescription.read(folder)
    assert str(raised.value) == (
        "index v1: another version of this program made the stored index. The next run over the library builds another "
        "one: `mfcc sync` starts one."
    )
