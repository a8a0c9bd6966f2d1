"""Stored waveforms."""

from pathlib import Path

import numpy as np
import pytest

from mfcc_assets.errors import FeaturesDamaged, FeaturesMissing
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.waveform import MOST_BINS, WAVEFORM_VERSION, Waveform
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets_tests.damage import cut, empty

FEATURES = FeaturesParameters()
WAVEFORM = f"waveforms/{WAVEFORM_VERSION}/audio.parquet"


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path, lambda: bytes(32))


@pytest.fixture
def features(blobs: LocalBlobs) -> FeatureStore:
    return FeatureStore(blobs)


def waveform(bins: int = MOST_BINS) -> Waveform:
    random = np.random.default_rng(bins)
    return Waveform(random.integers(0, 256, bins, np.uint8), random.integers(0, 256, (bins, 3), np.uint8))


@pytest.mark.parametrize("bins", [1, MOST_BINS])
def test_a_waveform_is_read_as_it_was_written(features, bins):
    written = waveform(bins)
    features.write_waveform("audio", written)
    read = features.read_waveform("audio")
    np.testing.assert_array_equal(read.peaks, written.peaks, strict=True)
    np.testing.assert_array_equal(read.bands, written.bands, strict=True)


def test_the_waveform_of_a_long_track_is_small(features, blobs):
    louder = np.linspace(0, 255, MOST_BINS)[:, np.newaxis] * np.random.default_rng(0).uniform(0.3, 1, (MOST_BINS, 4))
    peaks, *bands = louder.astype(np.uint8).T
    features.write_waveform("audio", Waveform(peaks, np.column_stack(bands)))
    assert blobs.stat("cepstra", WAVEFORM).size < 5_600


def test_a_waveform_is_there_until_the_features_of_its_audio_are_deleted(features):
    assert not features.has_waveform("audio")
    features.write_waveform("audio", waveform())
    assert features.has_waveform("audio")
    assert features.audio_with_waveform() == {"audio"}
    features.delete("audio", FEATURES)
    assert not features.has_waveform("audio")
    with pytest.raises(FeaturesMissing, match=WAVEFORM):
        features.read_waveform("audio")


@pytest.mark.parametrize("damage", [cut, empty])
def test_a_damaged_waveform_is_no_waveform(features, blobs, damage):
    features.write_waveform("audio", waveform())
    blobs.write("cepstra", WAVEFORM, damage(blobs.read("cepstra", WAVEFORM)))
    with pytest.raises(FeaturesDamaged, match=WAVEFORM):
        features.read_waveform("audio")
    (stored,) = features.stored(FEATURES)
    with pytest.raises(FeaturesDamaged, match=WAVEFORM):
        features.check(stored)
