"""What all recognition services share: how one is asked over HTTPS, and what happens where it does not answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from mfcc_assets.errors import RecogniserUnavailable
from mfcc_assets.recognition.services.pacing import CircuitBreaker, Pace, Timing
from mfcc_assets.retry_after import seconds_asked

_TRIES = 3
_CONNECT_SECONDS, _ANSWER_SECONDS, _SHORTEST_SECONDS = 3.0, 10.0, 0.05

# The longest answers, with several recordings to a fingerprint, have some 100 kB.
_MOST_BYTES = 1_000_000
_MOST_FAILURES = 3
_REST_SECONDS = 60.0
_LATER = "Upload the file again later"
_CHECK_ADDRESS = "Check its address in the settings"

Form = Mapping[str, str]
"""Fields by name."""

Files = Mapping[str, tuple[str, bytes, str]]
"""File name, content and media type by field."""

Answer = TypeVar("Answer", bound=BaseModel)
Outcome = TypeVar("Outcome")


class UnusableSample(RecogniserUnavailable):
    """The service works, and cannot do anything with what it was sent."""


class PassingFailure(RecogniserUnavailable):
    """The service may answer if it is asked again at once."""

    retry_after: float = 0.0


class NotAsked(RecogniserUnavailable):
    """There was no time for it: nothing is known of the service."""


@dataclass(frozen=True)
class Fault:
    """What a number means that a service answers with, and what the reader can do."""

    what: str
    remedy: str = _LATER
    kind: type[RecogniserUnavailable] = RecogniserUnavailable


def new_client() -> httpx.Client:
    """A client for all services, to be closed by the caller. It follows no redirect: that would carry tokens away."""
    headers = {"User-Agent": "mfcc-assets", "Accept-Encoding": "identity"}
    return httpx.Client(timeout=_ANSWER_SECONDS, headers=headers, follow_redirects=False)


class Service:
    """One service: asked no more often than it likes, again where it stumbles, and not at all while it is down.

    Parameters
    ----------
    name
        What errors call it.
    faults
        What its documentation says of its error codes.
    client
        From `new_client`.
    a_second
        Most requests a second.
    """

    def __init__(
        self,
        name: str,
        faults: Mapping[int, Fault],
        client: httpx.Client,
        *,
        a_second: float,
        timing: Timing,
    ) -> None:
        self.name = name
        self._faults = faults
        self._client = client
        self._pace = Pace(a_second, timing.clock)
        self._breaker = CircuitBreaker(_MOST_FAILURES, _REST_SECONDS, timing.clock)
        self._timing = timing
        self._last_failure: RecogniserUnavailable | None = None

    def ask(
        self, url: str, form: Form, answer: type[Answer], read: Callable[[Answer], Outcome], files: Files | None = None
    ) -> Outcome:
        """Post a form, and read the answer.

        Parameters
        ----------
        form
            May hold secrets: it is sent as the body, never in the address.
        answer
            What the service's documentation says it sends.
        read
            Makes something of it. What it raises is handled as if it were raised here.

        Raises
        ------
        RecogniserUnavailable
            No answer came, or none that is of use. The message repeats nothing of what was sent or received.
        """
        if not self._breaker.admits():
            raise self._left_alone()
        deadline = self._timing.clock() + self._timing.patience_seconds

        def gives_up(state: RetryCallState) -> bool:
            wait = max(state.upcoming_sleep, self._pace.seconds_to_turn())
            return state.attempt_number >= _TRIES or self._timing.clock() + wait >= deadline

        retrying = Retrying(
            retry=retry_if_exception_type(PassingFailure),
            wait=_wait,
            stop=gives_up,
            sleep=self._timing.sleep,
            reraise=True,
        )
        try:
            outcome = retrying(lambda: read(self._parsed(*self._posted(url, form, files, deadline), answer)))
        except UnusableSample:
            self._breaker.succeeded()
            raise
        except NotAsked:
            raise
        except RecogniserUnavailable as error:
            self._last_failure = error
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return outcome

    def fault(self, code: int) -> RecogniserUnavailable:
        """The error that stands for an error code of the service."""
        fault = self._faults.get(code, Fault(f"it reports error {code}", "Look it up in the service's documentation"))
        return fault.kind(fault.what, subject=self.name, remedy=fault.remedy)

    def _left_alone(self) -> RecogniserUnavailable:
        what = f"it failed {_MOST_FAILURES} times in a row and is left alone for {_REST_SECONDS:g} s"
        last = self._last_failure
        # A wrong key is of more use to the reader than the rest that follows from it.
        return self._unavailable(f"{what}; lastly, {last.what}", last.remedy) if last else self._unavailable(what)

    def _posted(self, url: str, form: Form, files: Files | None, deadline: float) -> tuple[int, bytes]:
        """Status and body of the answer to one request."""
        wait = self._pace.take_turn(deadline - self._timing.clock())
        if wait is None:
            raise NotAsked("too many uploads ask it at once", subject=self.name, remedy=_LATER)
        self._timing.sleep(wait)
        left = max(_SHORTEST_SECONDS, deadline - self._timing.clock())
        timeout = httpx.Timeout(min(_ANSWER_SECONDS, left), connect=min(_CONNECT_SECONDS, left))
        try:
            with self._client.stream("POST", url, data=form, files=files, timeout=timeout) as response:
                if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
                    raise self._passing(f"it answered with status {response.status_code}", response)
                return response.status_code, self._body(response, deadline)
        except httpx.TimeoutException:
            raise self._passing("it did not answer in time") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise self._unavailable("its address is none", _CHECK_ADDRESS) from None
        except httpx.TransportError as error:
            raise self._passing(f"the connection failed ({type(error).__name__})") from None

    def _body(self, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        # As it comes: a compressed answer, which is not asked for, may be a thousand times as large.
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise self._unavailable("its answer is too long")
            # Each piece may come in time, and the whole of it never.
            if self._timing.clock() > deadline:
                raise self._passing("it did not answer in time")
        return bytes(body)

    def _parsed(self, status: int, body: bytes, answer: type[Answer]) -> Answer:
        if httpx.codes.is_redirect(status):
            raise self._unavailable("it wants to be asked elsewhere", _CHECK_ADDRESS)
        try:
            return answer.model_validate_json(body)
        except ValidationError:
            pass
        if status != httpx.codes.OK:
            raise self._unavailable(f"it answered with status {status}", _CHECK_ADDRESS)
        raise self._unavailable("its answer makes no sense", _CHECK_ADDRESS)

    def _passing(self, what: str, response: httpx.Response | None = None) -> PassingFailure:
        failure = PassingFailure(what, subject=self.name, remedy=_LATER)
        if response is not None:
            failure.retry_after = min(seconds_asked(response.headers.get("Retry-After", "")) or 0.0, _REST_SECONDS)
        return failure

    def _unavailable(self, what: str, remedy: str = _LATER) -> RecogniserUnavailable:
        return RecogniserUnavailable(what, subject=self.name, remedy=remedy)


def _wait(state: RetryCallState) -> float:
    """Seconds to the next try: about twice as many each time, not the same for all, and never less than asked for."""
    failure = state.outcome.exception() if state.outcome else None
    asked = failure.retry_after if isinstance(failure, PassingFailure) else 0.0
    return max(asked, wait_random_exponential(multiplier=0.5, max=4)(state))
