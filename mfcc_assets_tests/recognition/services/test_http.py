"""Recognition services: how each is asked, and every way in which it fails."""

import json
import logging
import secrets
from collections.abc import Iterator

import numpy as np
import pytest

from mfcc_assets.audio.excerpt import cut_excerpt
from mfcc_assets.audio.tags import Tags
from mfcc_assets.errors import RecogniserUnavailable
from mfcc_assets.recognition.recogniser import Recording
from mfcc_assets.recognition.services.pacing import Timing
from mfcc_assets.recognition.services.registry import RecognitionServices
from mfcc_assets.storage.secrets.environment import EnvironmentSecrets
from mfcc_assets_tests.recognition.services.asked_services import IMPATIENCE_SECONDS, SERVICES, Asked, asked, refusal
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
def service(request: pytest.FixtureRequest) -> Iterator[Asked]:
    with asked(request.param) as service:
        yield service


@pytest.fixture(params=SERVICES)
def impatient(request: pytest.FixtureRequest) -> Iterator[Asked]:
    with asked(request.param, patience_seconds=IMPATIENCE_SECONDS) as service:
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


class TestEveryService:
    def test_known_music_is_recognised(self, service, query):
        recognition = service.recogniser.recognise(query)
        assert (recognition.title, recognition.by) == ("Ocean", service.recogniser.name)
        assert recognition.artist.startswith("Will Savino")
        assert recognition.audio_ids == ()

    def test_unknown_music_is_nobodys_failure(self, service, query):
        service.double.knows = False
        assert [service.recogniser.recognise(query) for _ in range(5)] == [None] * 5

    def test_one_that_stumbles_is_asked_again_and_later_each_time(self, service, query):
        service.double.faults.extend([status(503), resets])
        assert service.recogniser.recognise(query).title == "Ocean"
        assert len(service.double.received) == 3

    def test_one_that_is_busy_is_left_alone_for_as_long_as_it_asks(self, service, query):
        service.double.faults.append(status(429, retry_after="7"))
        assert service.recogniser.recognise(query).title == "Ocean"
        assert sum(service.time.slept) >= 7

    @pytest.mark.parametrize("retry_after", ["3600", "9" * 400, "Sat, 27 Nov 2100 08:00:00 GMT"])
    def test_nobody_waits_an_hour(self, service, query, retry_after):
        service.double.faults.append(status(429, retry_after))
        assert refusal(service, query).what == "it answered with status 429"
        assert sum(service.time.slept) < 20
        assert len(service.double.received) == 1

    @pytest.mark.parametrize("retry_after", ["nan", "-5", "soon", "Fri, 27 Nov 2020 08:00:00 GMT"])
    def test_a_senseless_time_to_wait_is_not_taken_seriously(self, service, query, retry_after):
        service.double.faults.append(status(503, retry_after))
        assert service.recogniser.recognise(query).title == "Ocean"
        assert 0 < sum(service.time.slept) < 20

    @pytest.mark.parametrize("code", [500, 502, 503, 429])
    def test_one_that_is_out_of_order_is_given_up_after_three_tries(self, service, query, code):
        service.double.faults.extend([status(code)] * 5)
        assert refusal(service, query).what == f"it answered with status {code}"
        assert len(service.double.received) == 3

    def test_one_that_does_not_answer_is_given_up(self, impatient, query):
        impatient.double.faults.extend([is_slow] * 5)
        assert refusal(impatient, query).what == "it did not answer in time"

    def test_a_connection_that_is_cut_off_is_no_end(self, service, query):
        service.double.faults.extend([resets] * 5)
        assert refusal(service, query).what.startswith("the connection failed")
        assert len(service.double.received) == 3

    def test_one_that_is_not_there_is_said_to_be_away(self, service, query):
        service.double.url = ""
        with serving(ServiceDoubleThatIsGone()) as gone:
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

    def test_an_answer_without_sense_is_said_to_have_none(self, service, query):
        for number, body in enumerate(GARBAGE, start=1):
            service.double.faults.append(sends(body))
            assert refusal(service, query).what == "its answer makes no sense", body[:100]
            assert len(service.double.received) == number
            service.time.now += 60

    def test_an_answer_that_breaks_off_is_asked_for_again(self, service, query):
        service.double.faults.append(breaks_off)
        assert service.recogniser.recognise(query).title == "Ocean"

    def test_an_endless_answer_is_not_read_to_its_end(self, service, query):
        service.double.faults.append(sends(b'{"status": "ok", "more": "' + b"a" * 3_000_000 + b'"}'))
        assert refusal(service, query).what == "its answer is too long"

    def test_an_answer_is_not_unpacked(self, service, query):
        service.double.faults.append(bursts(megabytes=50))
        assert refusal(service, query).what == "its answer makes no sense"

    def test_no_redirect_carries_a_token_elsewhere(self, service, query):
        with serving(AudDDouble()) as elsewhere:
            service.double.faults.append(redirects(elsewhere.url))
            assert refusal(service, query).what == "it wants to be asked elsewhere"
            assert elsewhere.received == []

    def test_a_wrong_address_is_said_to_be_one(self, service, query):
        service.double.path = "/other"
        refused = refusal(service, query)
        assert refused.what == "it answered with status 404"
        assert refused.remedy == "Check its address in the settings"

    def test_after_three_failures_it_is_left_alone_and_then_tried_once(self, service, query):
        service.double.faults.extend([sends(b"<html>")] * 4)
        for _ in range(3):
            refusal(service, query)
        assert refusal(service, query).what == (
            "it failed 3 times in a row and is left alone for 60 s; lastly, its answer makes no sense"
        )
        assert len(service.double.received) == 3
        service.time.now += 60
        assert refusal(service, query).what == "its answer makes no sense"
        service.time.now += 60
        assert service.recogniser.recognise(query).title == "Ocean"
        assert service.recogniser.recognise(query).title == "Ocean"

    def test_uploads_that_have_to_wait_for_each_other_do_not_close_it(self, service, query):
        for _ in range(100):
            service.recogniser._service._pace.take_turn(1_000)
        for _ in range(4):
            assert refusal(service, query).what == "too many uploads ask it at once"
        assert service.double.received == []
        service.time.now += 1_000
        assert service.recogniser.recognise(query).title == "Ocean"

    def test_a_missing_secret_is_told_and_nothing_is_asked(self, service, query):
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

    def test_no_secret_is_logged_or_told(self, service, query, caplog):
        caplog.set_level(logging.DEBUG)
        service.recogniser.recognise(query)
        told = ""
        for error in (900, 3001, 4, 77):
            service.double.error = error
            refused = refusal(service, query)
            told += f"{refused} {refused!r} {refused.__cause__!r}"
            service.time.now += 100
        service.double.faults.extend([resets] * 3)
        told += str(refusal(service, query))
        told += f"{service.recogniser!r} {vars(service.recogniser)}"
        for value in service.secrets.values():
            assert value not in caplog.text + told

    def test_the_file_name_stays_here(self, service, query):
        service.recogniser.recognise(query)
        assert "Confidential" not in str(service.double.received)

    def test_a_file_that_is_no_audio_leaves_the_service_in_peace(self, service, tmp_path):
        path = tmp_path / "text.mp3"
        path.write_text("These are the words of the song.\n" * 300)
        for _ in range(4):
            refused = refusal(service, Recording(path, Tags(), np.empty((0, 13), np.float32)))
            assert refused.subject == "text.mp3"
        assert service.double.received == []

    def test_what_is_read_can_be_stored_and_shown(self, service, query):
        recognition = service.recogniser.recognise(query)
        assert json.loads(json.dumps(recognition.external_ids)) == recognition.external_ids
        assert recognition.certainty is None or 0 <= recognition.certainty <= 1


class ServiceDoubleThatIsGone(AudDDouble):
    """Only its address is wanted, at which nobody listens any more."""


DOCUMENTED = [
    ("audd", 300, "fingerprint", False),
    ("audd", 400, "too large", False),
    ("audd", 500, "no audio", False),
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
"""Service, error code, what a reader is told, and whether the service is to blame and not the sample."""


@pytest.mark.parametrize(("name", "code", "told", "services_fault"), DOCUMENTED)
def test_a_documented_error_is_explained_and_is_not_asked_about_again(
    query: Recording, name: str, code: int, told: str, services_fault: bool
) -> None:
    with asked(name) as service:
        service.double.error = code
        for _ in range(3):
            refused = refusal(service, query)
            assert told in refused.what
            assert refused.remedy
        assert len(service.double.received) == 3
        service.double.error = 0
        if services_fault:
            assert "left alone" in refusal(service, query).what
        else:
            assert service.recogniser.recognise(query).title == "Ocean"


@pytest.mark.parametrize(
    ("name", "code"),
    [("audd", 100), ("acrcloud", 3000), ("acrcloud", 3015), ("acoustid", 5), ("acoustid", 13), ("acoustid", 14)],
)
def test_a_documented_error_that_may_pass_is_asked_about_again(query: Recording, name: str, code: int) -> None:
    with asked(name) as service:
        service.double.error = code
        refusal(service, query)
        assert len(service.double.received) == 3


def test_an_answer_that_trickles_in_is_not_waited_for(query: Recording) -> None:
    with asked("audd", patience_seconds=IMPATIENCE_SECONDS, tick=0.01) as service:
        service.double.faults.extend([trickles] * 3)
        assert refusal(service, query).what == "it did not answer in time"


def test_what_the_doubles_take_for_audio_is_audio(query: Recording) -> None:
    assert is_audio(cut_excerpt(query.path).data)
    assert not is_audio(b"no audio" * 100)


def test_closed_services_ask_nobody(query: Recording) -> None:
    with asked("audd") as service:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        service.recogniser.recognise(query)
    assert service.double.received == []
