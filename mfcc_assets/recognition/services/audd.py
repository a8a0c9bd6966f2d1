"""AudD, by its method `recognize`: https://docs.audd.io."""

import re
from typing import Annotated, Literal

import httpx
from pydantic import BaseModel, Field, RootModel

from mfcc_assets.audio.tags import clean_text
from mfcc_assets.recognition.recogniser import Recogniser, Recognition, Recording
from mfcc_assets.recognition.services.http import Fault, PassingFailure, Service, UnusableSample
from mfcc_assets.recognition.services.pacing import Timing
from mfcc_assets.recognition.services.queries import Secrets, sample, secret

# It says of no limit a second.
_A_SECOND = 5.0

_FAULTS = {
    100: Fault("it failed for a reason it does not know", kind=PassingFailure),
    300: Fault("it finds no fingerprint in the sample", "Supply a longer or louder file", UnusableSample),
    400: Fault("the sample is too large for it", kind=UnusableSample),
    500: Fault("the sample is no audio to it", kind=UnusableSample),
    700: Fault("the sample did not arrive"),
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
    """Sends a sample and a token.

    Parameters
    ----------
    url
        Of the API.
    secrets
        Of which ``audd-token`` is read.
    service
        From `audd_service`.
    """

    name = "audd"

    def __init__(self, url: str, secrets: Secrets, service: Service) -> None:
        self._url = url
        self._secrets = secrets
        self._service = service

    def recognise(self, query: Recording) -> Recognition | None:
        token = secret(self._secrets, "audd-token")
        sent = sample(query)

        def read(answer: _Answer) -> Recognition | None:
            if isinstance(answer.root, _Failure):
                raise self._service.fault(answer.root.error.error_code)
            result = answer.root.result
            if result is None or not (title := clean_text(result.title)):
                return None
            played = _seconds(result.timecode)
            offset = None if played is None else round(played - sent.begin_seconds, 1)
            return Recognition(title, clean_text(result.artist), self.name, offset_seconds=offset)

        files = {"file": (f"sample{sent.suffix}", sent.data, sent.media_type)}
        return self._service.ask(self._url, {"api_token": token}, _Answer, read, files)


def audd_service(client: httpx.Client, timing: Timing) -> Service:
    return Service("AudD", _FAULTS, client, a_second=_A_SECOND, timing=timing)


def _seconds(timecode: str) -> float | None:
    """Where in the recording the sample is, as ``02:32`` says; None where nothing is said."""
    if not (match := _TIMECODE.fullmatch(timecode)):
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return 3600.0 * hours + 60 * minutes + seconds
