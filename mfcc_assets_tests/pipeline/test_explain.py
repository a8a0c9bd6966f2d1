"""Explanations of why one track is near to another."""

import json

import numpy as np
import pytest

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.library import Library
from mfcc_assets.pipeline.explain import RANDOM_PAIRS, explain_pair, picture_of_pair, random_pairs_of
from mfcc_assets.pipeline.find_track import find_track
from mfcc_assets.pipeline.publication import publish_built_index
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, compared_with_all, index_and_rank, publish


@pytest.fixture
def index(library: Library) -> LibraryIndex:
    """The index of a library of eight tracks."""
    add_tracks(library, *range(8))
    return publish(library)[0]


def test_a_pair_is_explained_from_the_stored_features(library: Library, index: LibraryIndex) -> None:
    pair = explain_pair(library, index, find_track(library, "1.flac"), find_track(library, "2.flac"))
    record = json.loads(json.dumps(pair.record()))

    assert record["index_version"] == index.version
    words = {"words": list(pair.a.words.values())}
    assert record["a"] == {"track_id": pair.a.track_id, "title": "", "artist": "", "seconds": 30.0, **words}
    assert sum(coefficient["share"] for coefficient in record["coefficients"]) == pytest.approx(1)
    assert record["control"]["random_pairs"] == 28
    (found,) = (
        distance
        for audio, distance in compared_with_all(
            library, index, audio_id(1), library.features.read_track_features(audio_id(1), index.parameters.features)
        )
        if audio == audio_id(2)
    )
    assert record["ranked_distance"] == pytest.approx(found, rel=1e-3)
    assert list(record["parts"]) == ["timbre", "low_timbre", "dtw"]
    assert set(record) == {
        "sentences", "index_version", "ranking", "ranked_distance", "closer_than", "nearness", "parts", "a", "b",
        "distance", "control", "coefficients", "stretches", "path",
    }  # fmt: skip


def test_the_random_pairs_of_an_index_are_measured_once(library: Library, index: LibraryIndex) -> None:
    first = random_pairs_of(library, index)
    for number in range(8):
        library.blobs.delete(CEPSTRA, f"summaries/{index.parameters.features.version}/{audio_id(number)}.parquet")
    with Library(library.settings) as later:
        second = random_pairs_of(later, index)
    np.testing.assert_array_equal(first.contributions, second.contributions)
    np.testing.assert_array_equal(first.moments, second.moments)


def test_a_large_library_measures_only_a_sample_of_its_pairs(library: Library) -> None:
    add_tracks(library, *range(40))
    index, _ = publish(library)
    control = random_pairs_of(library, index)
    assert len(control.distances) == RANDOM_PAIRS
    assert (control.distances > 0).all(), "no track is paired with itself"


def test_the_only_track_of_a_library_can_be_explained(library: Library) -> None:
    add_tracks(library, 1)
    index, _ = publish(library)
    track = find_track(library, "1.flac")
    why = explain_pair(library, index, track, track).explanation
    assert (why.distance, why.control.ratio) == (0, None)
    assert len(why.stretches) == 1


def test_a_damaged_track_spoils_only_its_own_pair(library: Library) -> None:
    add_tracks(library, *range(8))
    index, _ = index_and_rank(library)
    name = f"summaries/{index.parameters.features.version}/{audio_id(5)}.parquet"
    library.blobs.write(CEPSTRA, name, b"damaged")
    library.blobs.delete(
        CEPSTRA, f"frames/features_version={index.parameters.features.cepstra.version}/{audio_id(5)}.parquet"
    )
    with Library(library.settings) as later:
        publish_built_index(later)
        pair = explain_pair(later, index, find_track(later, "1.flac"), find_track(later, "2.flac"))
        assert pair.explanation.control.random_pairs == 28
        with pytest.raises(FeaturesMissing):
            explain_pair(later, index, find_track(later, "1.flac"), find_track(later, "5.flac"))


def test_a_pair_is_drawn_in_either_format(library: Library, index: LibraryIndex) -> None:
    pair = explain_pair(library, index, find_track(library, "1.flac"), find_track(library, "2.flac"))
    assert picture_of_pair(index, pair).startswith(b"\x89PNG")
    assert b"<svg" in picture_of_pair(index, pair, "svg")
