"""The requests to each recognition service, and the recognitions that are read from its answers."""

import json
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from mfcc_assets.audio.excerpt import cut_excerpt
from mfcc_assets.errors import RecogniserUnavailable
from mfcc_assets.recognition.recogniser import Recognition
from mfcc_assets.recognition.services.chromaprint import chromaprint
from mfcc_assets.recognition.services.registry import RecognitionServices
from mfcc_assets.storage.secrets.environment import EnvironmentSecrets
from mfcc_assets_tests.audio_samples import music, write_audio
from mfcc_assets_tests.recognition.services.service_under_test import ServiceUnderTest, refusal, service_under_test
from mfcc_assets_tests.services.recognition import sends


@pytest.fixture
def audd() -> Iterator[ServiceUnderTest]:
    with service_under_test("audd") as service:
        yield service


@pytest.fixture
def acrcloud() -> Iterator[ServiceUnderTest]:
    with service_under_test("acrcloud") as service:
        yield service


@pytest.fixture
def acoustid() -> Iterator[ServiceUnderTest]:
    with service_under_test("acoustid") as service:
        yield service


class TestAudD:
    def test_the_request_contains_the_token_and_an_excerpt(self, audd, query):
        audd.recogniser.recognise(query)
        (received,) = audd.double.received
        assert received.fields == {"api_token": audd.double.token}
        assert received.files == {"file": cut_excerpt(query.path).data}
        assert len(received.files["file"]) <= 200_000

    def test_the_offset_is_computed_from_the_timecode(self, audd, query):
        excerpt = cut_excerpt(query.path)
        assert excerpt.begin_seconds == pytest.approx(4, abs=0.1)
        assert audd.recogniser.recognise(query).offset_seconds == round(67 - excerpt.begin_seconds, 1)

    @pytest.mark.parametrize("timecode", ["", "soon", ":", "1:2:3:4", "9" * 5000 + ":00", "-1:00"])
    def test_an_invalid_timecode_is_ignored(self, audd, query, timecode):
        result = {"title": "Ocean\x00\u202e", "timecode": timecode}
        audd.double.faults.append(sends(json.dumps({"status": "success", "result": result}).encode()))
        recognition = audd.recogniser.recognise(query)
        assert recognition.offset_seconds is None
        assert "\x00" not in recognition.title

    def test_a_result_without_a_title_is_no_recognition(self, audd, query):
        audd.double.faults.append(sends(b'{"status": "success", "result": {"title": " \\u0000 "}}'))
        assert audd.recogniser.recognise(query) is None


class TestAcrCloud:
    def test_the_request_contains_a_signed_excerpt(self, acrcloud, query):
        acrcloud.recogniser.recognise(query)
        (received,) = acrcloud.double.received
        assert received.path == "/v1/identify"
        assert acrcloud.double.secret not in str(received)
        assert set(received.fields) == {
            "access_key", "data_type", "signature", "signature_version", "sample_bytes", "timestamp",
        }  # fmt: skip
        assert len(received.files["sample"]) <= 200_000

    def test_the_best_match_is_read(self, acrcloud, query):
        assert acrcloud.recogniser.recognise(query) == Recognition(
            "Ocean",
            "Will Savino, A Guest",
            "acrcloud",
            offset_seconds=round(67 - cut_excerpt(query.path).begin_seconds, 1),
            certainty=0.92,
            external_ids={"acrid": "6049f11da7095e8bb8266871d4a70873", "isrc": "USXX11900001"},
        )

    def test_without_an_address_no_request_is_sent(self, query):
        services = RecognitionServices(EnvironmentSecrets({}), audd_url="", acrcloud_url="", acoustid_url="")
        with pytest.raises(RecogniserUnavailable) as refused:
            services.named("acrcloud").recognise(query)
        services.close()
        assert refused.value.remedy == "Set MFCC_ACRCLOUD_URL to the address of the project"

    def test_an_invalid_address_is_reported(self, query):
        environment = {"MFCC_SECRET_ACRCLOUD_KEY": "a", "MFCC_SECRET_ACRCLOUD_SECRET": "b"}
        services = RecognitionServices(
            EnvironmentSecrets(environment), audd_url="", acrcloud_url="identify.example", acoustid_url=""
        )
        with pytest.raises(RecogniserUnavailable, match="its address is not valid"):
            services.named("acrcloud").recognise(query)
        services.close()

    def test_music_without_a_match_in_the_catalogue_is_unknown(self, acrcloud, query):
        acrcloud.double.faults.append(sends(b'{"status": {"code": 0}, "metadata": {"custom_files": []}}'))
        assert acrcloud.recogniser.recognise(query) is None


class TestAcoustId:
    def test_the_request_contains_a_fingerprint_and_no_audio(self, acoustid, query):
        acoustid.recogniser.recognise(query)
        (received,) = acoustid.double.received
        assert received.files == {}
        assert received.fields["fingerprint"] == chromaprint(query.path).text
        assert received.fields["duration"] == "20"
        assert received.fields["meta"] == "recordings"

    def test_the_best_titled_recording_is_read(self, acoustid, query):
        assert acoustid.recogniser.recognise(query) == Recognition(
            "Ocean",
            "Will Savino & A Guest",
            "acoustid",
            certainty=0.93,
            external_ids={"musicbrainz_recording": "cd2e7c47-16f5-46c6-a37c-a1eb7bf599ff"},
        )

    def test_at_most_three_requests_are_sent_per_second(self, acoustid, query):
        begun = acoustid.time.now
        for _ in range(7):
            acoustid.recogniser.recognise(query)
        assert acoustid.time.now - begun >= 2

    def test_a_missing_chromaprint_library_is_reported_with_its_package(self, acoustid, query, monkeypatch):
        monkeypatch.setitem(sys.modules, "chromaprint", None)
        assert refusal(acoustid, query).remedy == "Install libchromaprint1"


class TestChromaprint:
    def share_of_equal_bits(self, one: str, other: str) -> float:
        """Return the share of equal bits of two fingerprints. It is one half for unrelated ones."""
        import chromaprint

        first, second = (np.array(chromaprint.decode_fingerprint(text.encode())[0], np.uint32) for text in (one, other))
        frames = min(len(first), len(second))
        return 1 - float(np.bitwise_count(first[:frames] ^ second[:frames]).mean()) / 32

    def test_a_recording_has_about_the_same_fingerprint_in_any_format_and_another_recording_has_not(
        self, query, tmp_path
    ):
        signal = music(20, seed=1, sample_rate=22_050)
        wav = write_audio(tmp_path / "song.wav", signal, sample_rate=22_050, channels=2)
        ogg = write_audio(tmp_path / "song.ogg", signal, sample_rate=22_050, channels=2)
        other = write_audio(tmp_path / "other.wav", music(20, seed=2, sample_rate=22_050), sample_rate=22_050)
        assert self.share_of_equal_bits(chromaprint(wav).text, chromaprint(ogg).text) > 0.95
        assert self.share_of_equal_bits(chromaprint(wav).text, chromaprint(query.path).text) > 0.85
        assert self.share_of_equal_bits(chromaprint(wav).text, chromaprint(other).text) < 0.7

    def test_the_fingerprint_covers_two_minutes_and_the_length_covers_the_whole_file(self, tmp_path):
        signal = music(130, seed=3, sample_rate=8_000)
        long = write_audio(tmp_path / "long.wav", signal, sample_rate=8_000)
        two_minutes = write_audio(tmp_path / "short.wav", signal[: 120 * 8_000], sample_rate=8_000)
        assert chromaprint(long).text == chromaprint(two_minutes).text
        assert (chromaprint(long).seconds, chromaprint(two_minutes).seconds) == (130, 120)
