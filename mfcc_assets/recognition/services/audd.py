"""The recogniser that asks AudD, with its method `recognize`: https://docs.audd.io."""

import re
from typing import Annotated, Literal

import httpx
from pydantic import BaseModel, Field, RootModel

from mfcc_assets.audio.tags import clean_text
from mfcc_assets.recognition.recogniser import Recogniser, Recognition, RecognitionQuery
from mfcc_assets.recognition.services.excerpts_and_secrets import Secrets, excerpt_of, read_secret
from mfcc_assets.recognition.services.http import Fault, Service, TemporaryFailure, UnusableExcerpt
from mfcc_assets.recognition.services.pacing import Timing

# AudD documents no limit on the rate of requests.
_REQUESTS_PER_SECOND = 5.0

_FAULTS = {
    100: Fault("it had an unknown internal error", kind=TemporaryFailure),
    300: Fault("it finds no fingerprint in the excerpt", "Supply a longer or louder file", UnusableExcerpt),
    400: Fault("the excerpt is too large for it", kind=UnusableExcerpt),
    500: Fault("it cannot read the excerpt as audio", kind=UnusableExcerpt),
    700: Fault("the excerpt did not arrive"),
    900: Fault("it does not know the token", "Set the secret audd-token"),
    901: Fault("the requests without a token are used up", "Set the secret audd-token"),
    902: Fault("the requests of the token are used up", "Extend the plan of the account"),
}

_TIMECODE = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,3}):([0-9]{2})")


class _Result(BaseModel):
    title: str
    artist: str = ""
    timecode: str = ""


class _Success(BaseModel):
    status: Literal["success"]
    result: _Result | None


class _Error(BaseModel):
    error_code: int


class _Failure(BaseModel):
    status: Literal["error"]
    error: _Error


class _Answer(RootModel[Annotated[_Success | _Failure, Field(discriminator="status")]]):
    pass


class AudD(Recogniser):
    """Recognises a query by sending an excerpt and a token to AudD.

    Parameters
    ----------
    url
        Address of the API.
    secrets
        Source of the secret ``audd-token``.
    service
        A service from `audd_service`.
    """

    name = "audd"

    def __init__(self, url: str, secrets: Secrets, service: Service) -> None:
        self._url = url
        self._secrets = secrets
        self._service = service

    def recognise(self, query: RecognitionQuery) -> Recognition | None:
        token = read_secret(self._secrets, "audd-token")
        excerpt = excerpt_of(query)

        def read(answer: _Answer) -> Recognition | None:
            if isinstance(answer.root, _Failure):
                raise self._service.fault(answer.root.error.error_code)
            result = answer.root.result
            if result is None or not (title := clean_text(result.title)):
                return None
            played = _seconds(result.timecode)
            offset = None if played is None else round(played - excerpt.begin_seconds, 1)
            return Recognition(title, clean_text(result.artist), self.name, offset_seconds=offset)

        files = {"file": (f"sample{excerpt.suffix}", excerpt.data, excerpt.media_type)}
        return self._service.post(self._url, {"api_token": token}, _Answer, read, files)


def audd_service(client: httpx.Client, timing: Timing) -> Service:
    """Return the service that `AudD` sends its requests to."""
    return Service("AudD", _FAULTS, client, requests_per_second=_REQUESTS_PER_SECOND, timing=timing)


def _seconds(timecode: str) -> float | None:
    """Return the seconds of a timecode such as ``02:32``, or None if the text is not a timecode."""
    if not (match := _TIMECODE.fullmatch(timecode)):
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return 3600.0 * hours + 60 * minutes + seconds
