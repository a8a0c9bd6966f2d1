"""Sentences about a pair of tracks."""

import numpy as np
import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.feature_repair import cepstra_of
from mfcc_assets.pipeline.measured import measured_with_calibration
from mfcc_assets.pipeline.pair_sentences import sentences_of, words_of
from mfcc_assets.similarity.explain import SimilarStretch
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.similarity.qualities import QUALITIES
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, index_and_rank, publish

BRIGHTNESS, LIVELINESS, LOUDNESS = QUALITIES
TITLES = ("Palace", "Caribbean")
STRETCH = SimilarStretch(8.2, 30.0, 0.1, 25.0, 0.1, 0.999)


def test_common_words_and_the_stretch_that_sounds_alike_are_one_sentence() -> None:
    words = {BRIGHTNESS: BRIGHTNESS.low, LIVELINESS: LIVELINESS.low, LOUDNESS: LOUDNESS.low}

    assert sentences_of(TITLES, (words, words), [STRETCH], Nearness(0.994)) == [
        "Both are dark, calm and mostly soft; from 0:08 of Palace and 0:00 of Caribbean they sound nearly the same for "
        "22 s.",
        "As a whole they are very near: closer than 99.4 % of pairs of the library.",
    ]


def test_opposite_words_are_said_and_words_of_one_track_alone_are_not() -> None:
    words = (
        {BRIGHTNESS: BRIGHTNESS.low, LIVELINESS: LIVELINESS.low},
        {BRIGHTNESS: BRIGHTNESS.high, LOUDNESS: LOUDNESS.high},
    )

    assert sentences_of(TITLES, words, [], Nearness(0.1)) == [
        "Palace is dark, and Caribbean is bright.",
        "No stretch of Palace sounds like a stretch of Caribbean.",
        "As a whole they are far: closer than 10 % of pairs of the library.",
    ]


def test_nothing_is_said_of_tracks_without_words() -> None:
    assert sentences_of(TITLES, ({}, {}), [], None) == ["No stretch of Palace sounds like a stretch of Caribbean."]


def test_a_stretch_that_differs_a_little_sounds_alike_and_not_the_same() -> None:
    stretch = SimilarStretch(61.0, 66.0, 0.0, 5.0, 0.3, 0.982)

    assert sentences_of(("Rain", "rain"), ({}, {}), [stretch], None) == [
        "From 1:01 of the first track and 0:00 of the second track they sound alike for 5 s."
    ]


def test_the_words_of_a_stored_track_agree_with_its_rank_in_the_library(library: Library) -> None:
    add_tracks(library, *range(12))
    index, _ = publish(library)
    brightness = -index.feature_table.rows(np.arange(12)).means[:, 1]

    for row, audio in enumerate(index.tracks.audio_ids):
        word = words_of(library, index, cepstra_of(library, audio, index.parameters.features)).get(BRIGHTNESS)
        darker = (brightness < brightness[row]).mean()
        assert word is None or (word == "bright" and darker >= 2 / 3) or (word == "dark" and darker <= 1 / 3)


def test_a_damaged_track_is_left_out_of_the_comparison(library: Library) -> None:
    add_tracks(library, *range(12))
    index, _ = index_and_rank(library)
    features = index.parameters.features
    for folder in (f"frames/features_version={features.cepstra.version}", f"summaries/{features.version}"):
        library.blobs.delete(CEPSTRA, f"{folder}/{audio_id(5)}.parquet")

    with Library(library.settings) as later:
        words_of(later, index, cepstra_of(later, audio_id(1), index.parameters.features))
        kept = measured_with_calibration(later, index, "sound_figures.npz", pytest.fail)["figures"]

    assert kept.shape == (11, 5)
    assert np.isfinite(kept).all()
