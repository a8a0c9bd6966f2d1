"""Stored cepstra and track features."""

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mfcc_assets.errors import FeaturesDamaged, FeaturesMissing, StoreError
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.timbre import WIDTH
from mfcc_assets.features.track_features import Analysis, TrackFeatures, track_features_of
from mfcc_assets.ids import AudioId
from mfcc_assets.storage.blobs.azure import AzureBlobs
from mfcc_assets.storage.blobs.azure_streams import BLOCK, BlockSink
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets_tests.services.azurite import Azurite
from mfcc_assets_tests.services.faulty_proxy import FaultyProxy, faulty_proxy

CEPSTRA = CepstraParameters()
FEATURES = FeaturesParameters()
FRAMES = f"frames/features_version={CEPSTRA.version}/audio.parquet"
TIMBRE = f"timbre/{CEPSTRA.version}/audio.parquet"
TRACK_FEATURES = f"summaries/{FEATURES.version}/audio.parquet"
DAMAGE = {
    "empty": lambda _: b"",
    "first half": lambda stored: stored[: len(stored) // 2],
    "last byte lost": lambda stored: stored[:-1],
    "zeros in the middle": lambda stored: stored[:100] + bytes(len(stored) - 108) + stored[-8:],
    "something else": lambda _: b"ID3" + bytes(500),
}


class CountingBlobs(LocalBlobs):
    """Local folders that count how often a blob is opened. Every way to read opens it."""

    reads = 0

    @contextmanager
    def open(self, container: str, name: str) -> Iterator[BinaryIO]:
        self.reads += 1
        with super().open(container, name) as file:
            yield file


@pytest.fixture
def blobs(tmp_path: Path) -> CountingBlobs:
    return CountingBlobs(tmp_path, lambda: bytes(32))


@pytest.fixture
def features(blobs: CountingBlobs) -> FeatureStore:
    return FeatureStore(blobs)


def cepstra(frames: int = 500, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 10, (frames, 13)).astype(np.float32)


def with_timbre(frames: np.ndarray) -> Analysis:
    return Analysis(frames, np.random.default_rng(0).normal(0, 1, WIDTH).astype(np.float32))


def analysis(seed: int = 0) -> Analysis:
    return with_timbre(cepstra(seed=seed))


def test_an_analysis_is_read_as_it_was_written(features):
    written = analysis()
    unusual = np.array([0.0, -0.0, 1e-45, np.finfo(np.float32).max, 1 / 3, -1e30], np.float32)
    written.cepstra[0, :6] = written.timbre[:6] = unusual
    features.write_analysis("audio", written, CEPSTRA)
    read = features.read_analysis("audio", CEPSTRA)
    assert read.cepstra.dtype == read.timbre.dtype == np.float32
    assert read.cepstra.tobytes() == written.cepstra.tobytes()
    assert read.timbre.tobytes() == written.timbre.tobytes()
    np.testing.assert_array_equal(features.read_cepstra("audio", CEPSTRA), written.cepstra)


def test_an_analysis_whose_writer_was_killed_does_not_exist(features, blobs):
    features.write_analysis("audio", analysis(), CEPSTRA)
    blobs.delete("cepstra", FRAMES)
    assert blobs.exists("cepstra", TIMBRE)
    assert not features.has_cepstra("audio", CEPSTRA)
    with pytest.raises(FeaturesMissing, match=FRAMES):
        features.read_analysis("audio", CEPSTRA)


def test_any_tool_can_read_the_cepstra_of_all_audio_as_one_table(features, tmp_path):
    written = {"a": with_timbre(cepstra(frames=50)), "b": with_timbre(cepstra(frames=70))}
    for audio, of_audio in written.items():
        features.write_analysis(audio, of_audio, CEPSTRA)
    table = pq.read_table(tmp_path / "cepstra" / "frames").sort_by([("audio_id", "ascending"), ("frame", "ascending")])
    coefficients = [f"COE_{number}" for number in range(1, 14)]
    assert table.column_names == ["audio_id", "frame", *coefficients, "features_version"]
    assert table["audio_id"].to_pylist() == ["a"] * 50 + ["b"] * 70
    assert table["frame"].to_pylist() == [*range(50), *range(70)]
    assert set(table["features_version"].to_pylist()) == {CEPSTRA.version}
    rows = np.column_stack([table[name].to_numpy() for name in coefficients])
    np.testing.assert_array_equal(rows, np.vstack([of_audio.cepstra for of_audio in written.values()]), strict=True)


def test_track_features_are_read_as_they_were_written(features):
    written = track_features_of(analysis(), FEATURES)
    features.write_track_features("audio", written, FEATURES)
    read = features.read_track_features("audio", FEATURES)
    for field in fields(TrackFeatures):
        np.testing.assert_array_equal(getattr(read, field.name), getattr(written, field.name), strict=True)


def test_stored_features_are_listed_by_version(features):
    features.write_analysis("a", analysis(), CEPSTRA)
    features.write_analysis("b", analysis(), replace(CEPSTRA, fft_size=512))
    features.write_track_features("a", track_features_of(analysis(), FEATURES), FEATURES)
    assert features.audio_with_cepstra(CEPSTRA) == {"a"}
    assert features.audio_with_cepstra(replace(CEPSTRA, lifter=0)) == set()
    assert features.audio_with_track_features(FEATURES) == {"a"}
    assert features.audio_with_track_features(replace(FEATURES, segments=4)) == set()
    assert features.has_cepstra("a", CEPSTRA)
    assert not features.has_cepstra("b", CEPSTRA)
    assert features.has_track_features("a", FEATURES)
    assert not features.has_track_features("b", FEATURES)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((9, 12), np.float32), np.zeros(13, np.float32), np.zeros((9, 13))],
    ids=["width", "1d", "float64"],
)
def test_cepstra_that_do_not_fit_the_parameters_are_refused(features, wrong):
    with pytest.raises(ValueError, match="frames x 13 of float32"):
        features.write_analysis("audio", with_timbre(wrong), CEPSTRA)
    assert not features.has_cepstra("audio", CEPSTRA)


@pytest.mark.parametrize("read", ["read_cepstra", "read_analysis", "read_track_features"])
def test_features_that_were_never_computed_are_missing(features, read):
    parameters = CEPSTRA if read in ("read_cepstra", "read_analysis") else FEATURES
    with pytest.raises(FeaturesMissing, match=rf"{parameters.version}/audio\.parquet: .*Run `mfcc sync`"):
        getattr(features, read)("audio", parameters)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("read", ["read_cepstra", "read_analysis", "read_track_features"])
def test_the_error_for_damaged_features_names_the_blob(features, blobs, read, damage):
    features.write_analysis("audio", analysis(), CEPSTRA)
    features.write_track_features("audio", track_features_of(analysis(), FEATURES), FEATURES)
    names = {"read_cepstra": (FRAMES, CEPSTRA), "read_analysis": (TIMBRE, CEPSTRA)}
    name, parameters = names.get(read, (TRACK_FEATURES, FEATURES))
    blobs.write("cepstra", name, damage(blobs.read("cepstra", name)))
    with pytest.raises(FeaturesDamaged, match=rf"cepstra/{name}: .*damaged.*The next run .*`mfcc sync` starts one"):
        getattr(features, read)("audio", parameters)


@pytest.mark.parametrize(
    ("place", "read"),
    [
        (FRAMES, "read_cepstra"),
        (TIMBRE, "read_analysis"),
        (TRACK_FEATURES, "read_track_features"),
    ],
)
def test_features_of_other_audio_are_damaged(features, blobs, place, read):
    for audio in ("audio", "other"):
        features.write_analysis(audio, analysis(), CEPSTRA)
        features.write_track_features(audio, track_features_of(analysis(), FEATURES), FEATURES)
    blobs.copy("cepstra", place.replace("audio", "other"), "cepstra", place)
    with pytest.raises(FeaturesDamaged, match=f"{place}: the stored features are damaged"):
        getattr(features, read)("audio", CEPSTRA if read in ("read_cepstra", "read_analysis") else FEATURES)


def test_features_of_other_parameters_are_damaged(features, blobs):
    other = replace(FEATURES, contour_rate=5.0)
    features.write_track_features("audio", track_features_of(analysis(), other), other)
    blobs.copy("cepstra", f"summaries/{other.version}/audio.parquet", "cepstra", TRACK_FEATURES)
    with pytest.raises(FeaturesDamaged, match=f"{TRACK_FEATURES}: the stored features are damaged"):
        features.read_track_features("audio", FEATURES)


def test_a_file_without_a_version_is_damaged(features, blobs, tmp_path):
    pq.write_table(pa.table({"COE_1": [1.0]}), tmp_path / "foreign.parquet")
    blobs.upload_file("cepstra", FRAMES, tmp_path / "foreign.parquet")
    with pytest.raises(FeaturesDamaged):
        features.read_cepstra("audio", CEPSTRA)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (FRAMES, "read_cepstra"),
        (TIMBRE, "read_analysis"),
        (TRACK_FEATURES, "read_track_features"),
    ],
)
def test_a_file_without_the_right_columns_is_damaged(features, blobs, tmp_path, name, read):
    parameters = CEPSTRA if read in ("read_cepstra", "read_analysis") else FEATURES
    table = pa.table({"COE_1": [1.0]}).replace_schema_metadata({"features_version": parameters.version})
    pq.write_table(table, tmp_path / "narrow.parquet")
    blobs.upload_file("cepstra", name, tmp_path / "narrow.parquet")
    with pytest.raises(FeaturesMissing, match="damaged"):
        getattr(features, read)("audio", parameters)


class BadSectors(LocalBlobs):
    """Local folders on a failing disk, which finds files but cannot read them."""

    @contextmanager
    def open(self, container: str, name: str) -> Iterator[BinaryIO]:
        with super().open(container, name) as file:
            yield UnreadableFile(file.read())


class UnreadableFile(io.BytesIO):
    def read(self, _: int | None = -1) -> bytes:
        raise OSError(5, "Input/output error")


def test_a_failing_disk_is_not_mistaken_for_damaged_features(features, tmp_path):
    features.write_track_features("audio", track_features_of(analysis(), FEATURES), FEATURES)
    with pytest.raises(StoreError, match=r"Input/output error.*Check the disk"):
        FeatureStore(BadSectors(tmp_path, lambda: bytes(32))).read_track_features(AudioId("audio"), FEATURES)


@pytest.mark.parametrize("seconds", [0.01, 5.0, 300.0, 300.01, 601.0, 10_000.0])
def test_the_beginning_of_a_recording_can_be_read_alone(features, seconds):
    whole = cepstra(frames=60_500)
    features.write_analysis("audio", with_timbre(whole), CEPSTRA)
    np.testing.assert_array_equal(
        features.read_cepstra("audio", CEPSTRA, seconds=seconds), whole[: round(seconds * 100)]
    )


class TestOnAzure:
    """The requests that reading and writing Parquet sends to a storage account."""

    @pytest.fixture
    def proxy(self, azurite: Azurite) -> Iterator[FaultyProxy]:
        with faulty_proxy(azurite.port) as proxy:
            yield proxy

    @pytest.fixture
    def features(self, azurite: Azurite, proxy: FaultyProxy, tmp_path: Path) -> Iterator[FeatureStore]:
        with closing(AzureBlobs(azurite.new_url(proxy.port), lambda: azurite.key, tmp_path, 1)) as blobs:
            yield FeatureStore(blobs)

    def test_writing_and_reading_four_minutes_takes_one_request_each(self, features, proxy):
        written = with_timbre(cepstra(frames=24_000))
        proxy.exchanges.clear()
        features.write_analysis("audio", written, CEPSTRA)
        features.write_track_features("audio", track_features_of(written, FEATURES), FEATURES)
        assert [exchange.method for exchange in proxy.exchanges] == ["PUT"] * 3
        for read in (features.read_cepstra, features.read_track_features):
            proxy.exchanges.clear()
            read("audio", CEPSTRA if read == features.read_cepstra else FEATURES)
            assert [exchange.method for exchange in proxy.exchanges] == ["GET"]

    def test_reading_the_beginning_of_a_long_recording_fetches_only_its_row_groups(self, features, proxy):
        hour = cepstra(frames=360_000)
        features.write_analysis("audio", with_timbre(hour), CEPSTRA)
        written = sum(exchange.sent for exchange in proxy.exchanges)
        proxy.exchanges.clear()
        beginning = features.read_cepstra("audio", CEPSTRA, seconds=300)
        np.testing.assert_array_equal(beginning, hour[:30_000])
        assert proxy.bytes_received < written / 12 + 3 * 65_536

    def test_two_writers_of_the_same_long_recording_both_succeed(self, features, monkeypatch):
        put, written = BlockSink.put, with_timbre(cepstra(frames=90_000))

        def put_after_another(sink: BlockSink, **condition: object) -> dict[str, object]:
            if sink.size > BLOCK:
                monkeypatch.undo()
                features.write_analysis("audio", written, CEPSTRA)
            return put(sink, **condition)

        monkeypatch.setattr(BlockSink, "put", put_after_another)
        features.write_analysis("audio", written, CEPSTRA)
        assert BlockSink.put is put, "another wrote meanwhile"
        np.testing.assert_array_equal(features.read_cepstra("audio", CEPSTRA), written.cepstra)

    def test_storage_that_is_away_is_not_mistaken_for_damaged_features(self, azurite, proxy, tmp_path):
        url = azurite.new_url(proxy.port)
        with closing(AzureBlobs(url, lambda: azurite.key, tmp_path, 1, patience_seconds=0)) as blobs:
            features, audio_id = FeatureStore(blobs), AudioId("audio")
            features.write_track_features(audio_id, track_features_of(analysis(), FEATURES), FEATURES)
            proxy.answer_next(1, 503)
            with pytest.raises(StoreError, match="503"):
                features.read_track_features(audio_id, FEATURES)


def test_a_run_sees_what_another_process_wrote_after_it_was_told_so(features: FeatureStore, tmp_path: Path) -> None:
    assert features.audio_with_cepstra(CEPSTRA, "run") == features.audio_with_track_features(FEATURES, "run") == set()
    other = FeatureStore(LocalBlobs(tmp_path, lambda: bytes(32)))
    other.write_analysis(AudioId("audio"), analysis(), CEPSTRA)
    other.write_track_features(AudioId("audio"), track_features_of(analysis(), FEATURES), FEATURES)
    assert features.audio_with_cepstra(CEPSTRA, "run") == set()

    features.cepstra_were_written(CEPSTRA)
    features.track_features_were_written(FEATURES)

    assert features.audio_with_cepstra(CEPSTRA, "run") == {"audio"}
    assert features.audio_with_track_features(FEATURES, "run") == {"audio"}
