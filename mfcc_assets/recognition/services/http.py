"""The HTTP client that all recognition services share: it sends requests, retries them, and explains failures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from mfcc_assets.errors import RecogniserUnavailable
from mfcc_assets.recognition.services.pacing import CircuitBreaker, Pace, Timing
from mfcc_assets.retry_after import seconds_asked

_MAXIMUM_ATTEMPTS = 3
_CONNECT_SECONDS, _ANSWER_SECONDS, _SHORTEST_TIMEOUT_SECONDS = 3.0, 10.0, 0.05

# The longest answers list several recordings for one fingerprint and have about 100 kB.
_MAXIMUM_ANSWER_BYTES = 1_000_000
_MAXIMUM_FAILURES = 3
_REST_SECONDS = 60.0
_LATER = "Upload the file again later"
_CHECK_ADDRESS = "Check its address in the settings"

Form = Mapping[str, str]
"""Values of a form by the names of its fields."""

Files = Mapping[str, tuple[str, bytes, str]]
"""File name, content and media type by the name of the form's field."""

Answer = TypeVar("Answer", bound=BaseModel)
Result = TypeVar("Result")


class UnusableExcerpt(RecogniserUnavailable):
    """The service works but cannot use the excerpt that it received."""


class TemporaryFailure(RecogniserUnavailable):
    """The request failed, but may succeed if it is sent again soon."""

    retry_after: float = 0.0


class NoTimeForRequest(RecogniserUnavailable):
    """No request was sent, since too many others were waiting. This says nothing about the service."""


@dataclass(frozen=True)
class Fault:
    """The meaning of an error code of a service.

    Attributes
    ----------
    what
        Description of what happened, as in `mfcc_assets.errors.MfccError`.
    remedy
        Advice to the reader, as in `mfcc_assets.errors.MfccError`.
    kind
        Class of the error to raise.
    """

    what: str
    remedy: str = _LATER
    kind: type[RecogniserUnavailable] = RecogniserUnavailable


def new_client() -> httpx.Client:
    """Return a client for all services. The caller closes it.

    The client follows no redirect, since that would send tokens to another address.
    """
    headers = {"User-Agent": "mfcc-assets", "Accept-Encoding": "identity"}
    return httpx.Client(timeout=_ANSWER_SECONDS, headers=headers, follow_redirects=False)


class Service:
    """A remote service with a rate limit, retries, and a pause after repeated failures.

    Parameters
    ----------
    name
        Name of the service in error messages.
    faults
        Documented meaning of the service's error codes.
    client
        A client from `new_client`.
    requests_per_second
        Maximum rate of requests.
    timing
        Clock and time limit.
    """

    def __init__(
        self,
        name: str,
        faults: Mapping[int, Fault],
        client: httpx.Client,
        *,
        requests_per_second: float,
        timing: Timing,
    ) -> None:
        self.name = name
        self._faults = faults
        self._client = client
        self._pace = Pace(requests_per_second, timing.clock)
        self._breaker = CircuitBreaker(_MAXIMUM_FAILURES, _REST_SECONDS, timing.clock)
        self._timing = timing
        self._last_failure: RecogniserUnavailable | None = None

    def post(
        self, url: str, form: Form, answer: type[Answer], read: Callable[[Answer], Result], files: Files | None = None
    ) -> Result:
        """Post a form and return what `read` makes of the answer.

        Parameters
        ----------
        url
            Address to post to.
        form
            Values of the form. They may be secret, and are sent in the body and never in the address.
        answer
            Model of the answer that the service documents.
        read
            Converts the answer. The errors that it raises are handled like those of the request.
        files
            Files to send with the form.

        Raises
        ------
        RecogniserUnavailable
            If no usable answer arrives. The message repeats nothing that was sent or received.
        """
        if not self._breaker.admits():
            raise self._resting()
        deadline = self._timing.clock() + self._timing.patience_seconds

        def gives_up(state: RetryCallState) -> bool:
            wait = max(state.upcoming_sleep, self._pace.seconds_to_turn())
            return state.attempt_number >= _MAXIMUM_ATTEMPTS or self._timing.clock() + wait >= deadline

        retrying = Retrying(
            retry=retry_if_exception_type(TemporaryFailure),
            wait=_wait,
            stop=gives_up,
            sleep=self._timing.sleep,
            reraise=True,
        )
        try:
            result = retrying(lambda: read(self._parsed(*self._posted(url, form, files, deadline), answer)))
        except UnusableExcerpt:
            self._breaker.succeeded()
            raise
        except NoTimeForRequest:
            raise
        except RecogniserUnavailable as error:
            self._last_failure = error
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return result

    def fault(self, code: int) -> RecogniserUnavailable:
        """Return the error that describes an error code of the service."""
        fault = self._faults.get(code, Fault(f"it reports error {code}", "Look it up in the service's documentation"))
        return fault.kind(fault.what, subject=self.name, remedy=fault.remedy)

    def _resting(self) -> RecogniserUnavailable:
        what = f"it failed {_MAXIMUM_FAILURES} times in a row, and is not tried again for {_REST_SECONDS:g} s"
        last = self._last_failure
        # The reader needs the cause, for example a wrong key, and not only the fact that the service rests.
        return (
            self._unavailable(f"{what}; the last time, {last.what}", last.remedy) if last else self._unavailable(what)
        )

    def _posted(self, url: str, form: Form, files: Files | None, deadline: float) -> tuple[int, bytes]:
        """Send one request and return status and body of its answer."""
        wait = self._pace.take_turn(deadline - self._timing.clock())
        if wait is None:
            raise NoTimeForRequest("too many uploads are waiting for it", subject=self.name, remedy=_LATER)
        self._timing.sleep(wait)
        left = max(_SHORTEST_TIMEOUT_SECONDS, deadline - self._timing.clock())
        timeout = httpx.Timeout(min(_ANSWER_SECONDS, left), connect=min(_CONNECT_SECONDS, left))
        try:
            with self._client.stream("POST", url, data=form, files=files, timeout=timeout) as response:
                if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
                    raise self._temporary(f"it answered with status {response.status_code}", response)
                return response.status_code, self._body(response, deadline)
        except httpx.TimeoutException:
            raise self._temporary("it did not answer in time") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise self._unavailable("its address is not valid", _CHECK_ADDRESS) from None
        except httpx.TransportError as error:
            raise self._temporary(f"the connection failed ({type(error).__name__})") from None

    def _body(self, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        # Read raw bytes. A compressed answer, which was not requested, could grow a thousand times when unpacked.
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > _MAXIMUM_ANSWER_BYTES:
                raise self._unavailable("its answer is too long")
            # Every chunk may arrive in time although the whole answer does not.
            if self._timing.clock() > deadline:
                raise self._temporary("it did not answer in time")
        return bytes(body)

    def _parsed(self, status: int, body: bytes, answer: type[Answer]) -> Answer:
        if httpx.codes.is_redirect(status):
            raise self._unavailable("it redirects to another address", _CHECK_ADDRESS)
        try:
            return answer.model_validate_json(body)
        except ValidationError:
            pass
        if status != httpx.codes.OK:
            raise self._unavailable(f"it answered with status {status}", _CHECK_ADDRESS)
        raise self._unavailable("its answer makes no sense", _CHECK_ADDRESS)

    def _temporary(self, what: str, response: httpx.Response | None = None) -> TemporaryFailure:
        failure = TemporaryFailure(what, subject=self.name, remedy=_LATER)
        if response is not None:
            failure.retry_after = min(seconds_asked(response.headers.get("Retry-After", "")) or 0.0, _REST_SECONDS)
        return failure

    def _unavailable(self, what: str, remedy: str = _LATER) -> RecogniserUnavailable:
        return RecogniserUnavailable(what, subject=self.name, remedy=remedy)


def _wait(state: RetryCallState) -> float:
    """Return the seconds to wait before the next attempt.

    The wait is random, doubles on average with each attempt, and is never shorter than the service asks for.
    """
    failure = state.outcome.exception() if state.outcome else None
    asked = failure.retry_after if isinstance(failure, TemporaryFailure) else 0.0
    return max(asked, wait_random_exponential(multiplier=0.5, max=4)(state))
