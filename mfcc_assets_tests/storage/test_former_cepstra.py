"""Cepstra that older versions of this program stored: they are read, and taken over without being computed again."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from mfcc_assets.errors import FeaturesDamaged, FeaturesMissing
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.timbre import WIDTH
from mfcc_assets.features.track_features import Analysis
from mfcc_assets.ids import AudioId
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets.storage.parquet_files import write_parquet
from mfcc_assets_tests.former_cepstra import write_former_cepstra

PARAMETERS = CepstraParameters()
VERSION = PARAMETERS.version
AUDIO = AudioId("audio")
PRESENT, FORMER = f"frames/features_version={VERSION}/audio.parquet", f"frames/{VERSION}/audio.parquet"
WRITTEN = Analysis(
    np.random.default_rng(0).normal(0, 10, (500, 13)).astype(np.float32),
    np.random.default_rng(1).normal(0, 1, WIDTH).astype(np.float32),
)


@pytest.fixture(params=["local_blobs", "azure_blobs_by_key"])
def blobs(request: pytest.FixtureRequest) -> BlobStore:
    return request.getfixturevalue(request.param)


@pytest.fixture
def features(blobs: BlobStore) -> FeatureStore:
    """Make a store that has the timbre of an audio, and its cepstra in the former file."""
    features = FeatureStore(blobs)
    features.write_analysis(AUDIO, WRITTEN, PARAMETERS)
    blobs.delete(CEPSTRA, PRESENT)
    write_former_cepstra(blobs, AUDIO, WRITTEN.cepstra, VERSION)
    return features


def stored(blobs: BlobStore) -> list[str]:
    return [blob.name for blob in blobs.list(CEPSTRA, "frames/")]


def take_over_all(features: FeatureStore) -> None:
    for blob in list(features.former_cepstra()):
        features.take_over(blob)


def test_former_cepstra_are_there_and_can_be_read(features):
    assert features.has_cepstra(AUDIO, PARAMETERS)
    assert features.audio_with_cepstra(PARAMETERS) == {AUDIO}
    assert FORMER in {blob.name for blob in features.stored(FeaturesParameters())}
    np.testing.assert_array_equal(features.read_analysis(AUDIO, PARAMETERS).cepstra, WRITTEN.cepstra)
    np.testing.assert_array_equal(features.read_cepstra(AUDIO, PARAMETERS, seconds=1.5), WRITTEN.cepstra[:150])


def test_what_is_taken_over_is_what_would_be_written_now(features, blobs):
    take_over_all(features)
    assert stored(blobs) == [PRESENT]
    assert list(features.former_cepstra()) == []
    taken_over = blobs.read(CEPSTRA, PRESENT)
    np.testing.assert_array_equal(features.read_cepstra(AUDIO, PARAMETERS), WRITTEN.cepstra, strict=True)
    features.write_analysis(AUDIO, WRITTEN, PARAMETERS)
    assert blobs.read(CEPSTRA, PRESENT) == taken_over


def test_cepstra_of_other_parameters_are_taken_over_too(features, blobs):
    other = replace(PARAMETERS, coefficients=5)
    write_former_cepstra(blobs, AUDIO, WRITTEN.cepstra[:, :5], other.version)
    take_over_all(features)
    np.testing.assert_array_equal(features.read_cepstra(AUDIO, other), WRITTEN.cepstra[:, :5])
    np.testing.assert_array_equal(features.read_cepstra(AUDIO, PARAMETERS), WRITTEN.cepstra)


def test_a_former_file_that_a_killed_run_had_written_already_is_deleted(features, blobs):
    features.write_analysis(AUDIO, WRITTEN, PARAMETERS)
    before = blobs.stat(CEPSTRA, PRESENT)
    take_over_all(features)
    assert stored(blobs) == [PRESENT]
    assert blobs.stat(CEPSTRA, PRESENT) == before


@pytest.mark.parametrize("change", [lambda whole: whole[:-1], lambda whole: whole[:99] + b"?" + whole[100:]])
def test_damaged_former_cepstra_are_neither_read_nor_taken_over(features, blobs, change):
    blobs.write(CEPSTRA, FORMER, change(blobs.read(CEPSTRA, FORMER)))
    with pytest.raises(FeaturesDamaged, match=f"cepstra/{FORMER}: the stored features are damaged"):
        features.read_cepstra(AUDIO, PARAMETERS)
    with pytest.raises(FeaturesDamaged, match=f"cepstra/{FORMER}: the stored features are damaged"):
        take_over_all(features)
    assert stored(blobs) == [FORMER]


def test_a_former_file_of_something_else_is_damaged(features, blobs):
    name = f"frames/{VERSION}/something-else.parquet"
    with blobs.writing(CEPSTRA, name) as file:
        write_parquet(pa.table({"mean": [1.0]}), file, name, metadata={b"features_version": VERSION.encode()})
    (something_else,) = (blob for blob in features.former_cepstra() if blob.name == name)
    with pytest.raises(FeaturesDamaged, match=name):
        features.take_over(something_else)


def test_a_former_file_that_another_process_has_taken_over_is_missing(features):
    (former,) = features.former_cepstra()
    features.take_over(former)
    features.delete(AUDIO, FeaturesParameters())
    with pytest.raises(FeaturesMissing):
        features.take_over(former)


def test_the_features_of_an_audio_are_deleted_with_its_former_file(features, blobs):
    features.delete(AUDIO, FeaturesParameters())
    assert list(blobs.list(CEPSTRA)) == []
    assert not features.has_cepstra(AUDIO, PARAMETERS)


class TakenOverMeanwhile(LocalBlobs):
    """Local folders in which another process takes a former file over at the moment when it is to be read."""

    of_another_process: LocalBlobs

    def read(self, container: str, name: str) -> bytes:
        if name == FORMER and self.exists(container, name):
            take_over_all(FeatureStore(self.of_another_process))
        return super().read(container, name)


def test_cepstra_that_are_taken_over_while_they_are_read_are_read(tmp_path):
    blobs = TakenOverMeanwhile(tmp_path, lambda: bytes(32))
    blobs.of_another_process = LocalBlobs(tmp_path, lambda: bytes(32))
    write_former_cepstra(blobs, AUDIO, WRITTEN.cepstra, VERSION)
    read = FeatureStore(blobs).read_cepstra(AUDIO, PARAMETERS)
    np.testing.assert_array_equal(read, WRITTEN.cepstra)
    assert stored(blobs) == [PRESENT]
