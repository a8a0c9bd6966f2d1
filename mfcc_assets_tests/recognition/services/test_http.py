"""Requests to recognition services, and every way in which they fail."""

import json
import logging
import secrets
from collections.abc import Iterator

import numpy as np
import pytest

from mfcc_assets.audio.excerpt import cut_excerpt
from mfcc_assets.audio.tags import Tags
from mfcc_assets.errors import RecogniserUnavailable
from mfcc_assets.ids import AudioId
from mfcc_assets.recognition.recogniser import RecognitionQuery
from mfcc_assets.recognition.services.pacing import Timing
from mfcc_assets.recognition.services.registry import RecognitionServices
from mfcc_assets.storage.secrets.environment import EnvironmentSecrets
from mfcc_assets_tests.recognition.services.service_under_test import (
    IMPATIENCE_SECONDS,
    SERVICES,
    ServiceUnderTest,
    refusal,
    service_under_test,
)
from mfcc_assets_tests.services.recognition import (
    AudDDouble,
    breaks_off,
    bursts,
    is_audio,
    is_slow,
    redirects,
    resets,
    sends,
    serving,
    status,
    trickles,
)


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> Iterator[ServiceUnderTest]:
    with service_under_test(request.param) as service:
        yield service


@pytest.fixture(params=SERVICES)
def impatient(request: pytest.FixtureRequest) -> Iterator[ServiceUnderTest]:
    with service_under_test(request.param, patience_seconds=IMPATIENCE_SECONDS) as service:
        yield service


GARBAGE = [
    b"",
    b"<html>Please sign in</html>",
    b'{"status": "success", "result": {"title": "Oce',
    b"null",
    b"[]",
    b"{}",
    b'{"status": 7}',
    b'{"status": "success"}',
    b'{"status": "ok", "results": {"score": "high"}}',
    b'{"status": {"code": []}}',
    b'{"status": "success", "result": {"title": 5}}',
    b'{"status": {"code": 0}, "metadata": {"music": [{"title": null}]}}',
    b'{"status": "ok", "results": [{"score": NaN, "recordings": []}]}',
    b'{"status": "success", "result": {"title": "\xff\xfe"}}',
    b"[" * 200_000,
    b'{"status": {"code": ' + b"9" * 10_000 + b"}}",
]


def recognise_many(service: ServiceUnderTest, query: RecognitionQuery) -> None:
    for _ in range(100):
        service.recogniser.recognise(query)


class TestEveryService:
    def test_known_music_is_recognised(self, service, query):
        recognition = service.recogniser.recognise(query)
        assert (recognition.title, recognition.by) == ("Ocean", service.recogniser.name)
        assert recognition.artist.startswith("Will Savino")
        assert recognition.audio_ids == ()

    def test_unknown_music_is_not_a_failure(self, service, query):
        service.double.knows = False
        assert [service.recogniser.recognise(query) for _ in range(5)] == [None] * 5

    def test_a_service_that_fails_for_a_moment_is_tried_again(self, service, query):
        service.double.faults.extend([status(503), resets])
        assert service.recogniser.recognise(query).title == "Ocean"
        assert len(service.double.received) == 3

    def test_a_busy_service_is_tried_again_after_the_time_that_it_names(self, service, query):
        service.double.faults.append(status(429, retry_after="7"))
        assert service.recogniser.recognise(query).title == "Ocean"
        assert sum(service.time.slept) >= 7

    @pytest.mark.parametrize("retry_after", ["3600", "9" * 400, "Sat, 27 Nov 2100 08:00:00 GMT"])
    def test_a_very_long_waiting_time_is_not_waited_for(self, service, query, retry_after):
        service.double.faults.append(status(429, retry_after))
        assert refusal(service, query).what == "it answered with status 429"
        assert sum(service.time.slept) < 20
        assert len(service.double.received) == 1

    @pytest.mark.parametrize("retry_after", ["nan", "-5", "soon", "Fri, 27 Nov 2020 08:00:00 GMT"])
    def test_an_invalid_waiting_time_is_ignored(self, service, query, retry_after):
        service.double.faults.append(status(503, retry_after))
        assert service.recogniser.recognise(query).title == "Ocean"
        assert 0 < sum(service.time.slept) < 20

    @pytest.mark.parametrize("code", [500, 502, 503, 429])
    def test_a_service_with_server_errors_is_given_up_after_three_attempts(self, service, query, code):
        service.double.faults.extend([status(code)] * 5)
        assert refusal(service, query).what == f"it answered with status {code}"
        assert len(service.double.received) == 3

    def test_a_service_that_does_not_answer_is_given_up(self, impatient, query):
        impatient.double.faults.extend([is_slow] * 5)
        assert refusal(impatient, query).what == "it did not answer in time"

    def test_a_reset_connection_is_retried(self, service, query):
        service.double.faults.extend([resets] * 5)
        assert refusal(service, query).what.startswith("the connection failed")
        assert len(service.double.received) == 3

    def test_a_service_that_is_not_running_is_reported_as_a_failed_connection(self, service, query):
        service.double.url = ""
        with serving(StoppedDouble()) as gone:
            address = gone.url
        services = RecognitionServices(
            EnvironmentSecrets(service.secrets),
            audd_url=address,
            acrcloud_url=address,
            acoustid_url=address,
            timing=Timing(20.0, service.time.clock, service.time.sleep),
        )
        with pytest.raises(RecogniserUnavailable, match="the connection failed"):
            services.named(service.recogniser.name).recognise(query)
        services.close()

    def test_an_unreadable_answer_is_reported(self, service, query):
        for number, body in enumerate(GARBAGE, start=1):
            service.double.faults.append(sends(body))
            assert refusal(service, query).what == "its answer makes no sense", body[:100]
            assert len(service.double.received) == number
            service.time.now += 60

    def test_an_incomplete_answer_is_requested_again(self, service, query):
        service.double.faults.append(breaks_off)
        assert service.recogniser.recognise(query).title == "Ocean"

    def test_an_answer_that_is_too_long_is_not_read_to_its_end(self, service, query):
        service.double.faults.append(sends(b'{"status": "ok", "more": "' + b"a" * 3_000_000 + b'"}'))
        assert refusal(service, query).what == "its answer is too long"

    def test_a_compressed_answer_is_not_unpacked(self, service, query):
        service.double.faults.append(bursts(megabytes=50))
        assert refusal(service, query).what == "its answer makes no sense"

    def test_a_redirect_does_not_carry_a_token_to_another_address(self, service, query):
        with serving(AudDDouble()) as elsewhere:
            service.double.faults.append(redirects(elsewhere.url))
            assert refusal(service, query).what == "it redirects to another address"
            assert elsewhere.received == []

    def test_a_wrong_address_is_reported(self, service, query):
        service.double.path = "/other"
        refused = refusal(service, query)
        assert refused.what == "it answered with status 404"
        assert refused.remedy == "Check its address in the settings"

    def test_a_service_rests_after_three_failures_and_is_then_tried_once(self, service, query):
        service.double.faults.extend([sends(b"<html>")] * 4)
        for _ in range(3):
            refusal(service, query)
        assert refusal(service, query).what == (
            "it failed 3 times in a row, and is not tried again for 60 s; the last time, its answer makes no sense"
        )
        assert len(service.double.received) == 3
        service.time.now += 60
        assert refusal(service, query).what == "its answer makes no sense"
        service.time.now += 60
        assert service.recogniser.recognise(query).title == "Ocean"
        assert service.recogniser.recognise(query).title == "Ocean"

    @pytest.mark.parametrize("name", SERVICES)
    def test_uploads_that_wait_for_each_other_do_not_make_the_service_rest(self, name, query):
        with service_under_test(name, patience_seconds=3.0) as service:
            service.time.stands_still = True
            with pytest.raises(RecogniserUnavailable, match="too many uploads are waiting for it"):
                recognise_many(service, query)
            sent = len(service.double.received)
            assert 5 < sent < 50
            for _ in range(4):
                assert refusal(service, query).what == "too many uploads are waiting for it"
            assert len(service.double.received) == sent
            service.time.now += 1_000
            recognition = service.recogniser.recognise(query)
            assert recognition is not None
            assert recognition.title == "Ocean"

    def test_a_missing_secret_is_reported_and_no_request_is_sent(self, service, query):
        service.secrets.clear()
        refused = refusal(service, query)
        assert refused.subject.startswith(f"Secret {service.recogniser.name}")
        assert refused.remedy.startswith("Set MFCC_SECRET_")
        assert service.double.received == []

    def test_a_rotated_secret_is_used_at_once(self, service, query):
        right = dict(service.secrets)
        for name in service.secrets:
            service.secrets[name] = secrets.token_hex(8)
        assert "Set the secret" in refusal(service, query).remedy
        service.secrets.update(right)
        assert service.recogniser.recognise(query).title == "Ocean"

    def test_no_secret_is_in_logs_or_error_messages(self, service, query, caplog):
        caplog.set_level(logging.DEBUG)
        service.recogniser.recognise(query)
        messages = ""
        for error in (900, 3001, 4, 77):
            service.double.error = error
            refused = refusal(service, query)
            messages += f"{refused} {refused!r} {refused.__cause__!r}"
            service.time.now += 100
        service.double.faults.extend([resets] * 3)
        messages += str(refusal(service, query))
        messages += f"{service.recogniser!r} {vars(service.recogniser)}"
        for value in service.secrets.values():
            assert value not in caplog.text + messages

    def test_the_file_name_is_not_sent(self, service, query):
        service.recogniser.recognise(query)
        assert "Confidential" not in str(service.double.received)

    def test_a_file_without_audio_is_not_sent(self, service, tmp_path):
        path = tmp_path / "text.mp3"
        path.write_text("These are the words of the song.\n" * 300)
        for _ in range(4):
            refused = refusal(service, RecognitionQuery(path, Tags(), AudioId("none"), np.empty((0, 13), np.float32)))
            assert refused.subject == "text.mp3"
        assert service.double.received == []

    def test_a_recognition_can_be_stored_as_json(self, service, query):
        recognition = service.recogniser.recognise(query)
        assert json.loads(json.dumps(recognition.external_ids)) == recognition.external_ids
        assert recognition.certainty is None or 0 <= recognition.certainty <= 1


class StoppedDouble(AudDDouble):
    """A double that has stopped, so that nothing listens at its address."""


DOCUMENTED = [
    ("audd", 300, "fingerprint", False),
    ("audd", 400, "too large", False),
    ("audd", 500, "cannot read the excerpt as audio", False),
    ("audd", 900, "does not know the token", True),
    ("audd", 901, "without a token are used up", True),
    ("audd", 902, "of the token are used up", True),
    ("audd", 1234, "error 1234", True),
    ("acrcloud", 2004, "fingerprint", False),
    ("acrcloud", 3001, "access key", True),
    ("acrcloud", 3003, "are used up", True),
    ("acrcloud", 3006, "error 3006", True),
    ("acrcloud", 3014, "signature", True),
    ("acoustid", 2, "error 2", True),
    ("acoustid", 3, "fingerprint", False),
    ("acoustid", 4, "does not know the key", True),
    ("acoustid", 8, "too long", False),
]
"""Service, error code, a part of the message, and whether the fault lies with the service and not with the excerpt."""


@pytest.mark.parametrize(("name", "code", "message", "is_fault_of_service"), DOCUMENTED)
def test_a_documented_error_is_explained_and_not_retried(
    query: RecognitionQuery, name: str, code: int, message: str, is_fault_of_service: bool
) -> None:
    with service_under_test(name) as service:
        service.double.error = code
        for _ in range(3):
            refused = refusal(service, query)
            assert message in refused.what
            assert refused.remedy
        assert len(service.double.received) == 3
        service.double.error = 0
        if is_fault_of_service:
            assert "is not tried again" in refusal(service, query).what
        else:
            recognition = service.recogniser.recognise(query)
            assert recognition is not None
            assert recognition.title == "Ocean"


@pytest.mark.parametrize(
    ("name", "code"),
    [("audd", 100), ("acrcloud", 3000), ("acrcloud", 3015), ("acoustid", 5), ("acoustid", 13), ("acoustid", 14)],
)
def test_a_documented_temporary_error_is_retried(query: RecognitionQuery, name: str, code: int) -> None:
    with service_under_test(name) as service:
        service.double.error = code
        refusal(service, query)
        assert len(service.double.received) == 3


def test_an_answer_that_arrives_too_slowly_is_given_up(query: RecognitionQuery) -> None:
    with service_under_test("audd", patience_seconds=IMPATIENCE_SECONDS, tick=0.01) as service:
        service.double.faults.extend([trickles] * 3)
        assert refusal(service, query).what == "it did not answer in time"


def test_the_doubles_accept_only_audio(query: RecognitionQuery) -> None:
    assert is_audio(cut_excerpt(query.path).data)
    assert not is_audio(b"no audio" * 100)


def test_closed_services_send_no_request(query: RecognitionQuery) -> None:
    with service_under_test("audd") as service:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        service.recogniser.recognise(query)
    assert service.double.received == []
