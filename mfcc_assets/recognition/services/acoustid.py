"""AcoustID, by its method `lookup`: https://acoustid.org/webservice."""

from typing import Annotated, Literal

import httpx
from pydantic import BaseModel, Field, FiniteFloat, RootModel

from mfcc_assets.audio.tags import clean_text
from mfcc_assets.recognition.recogniser import Recogniser, Recognition, Recording
from mfcc_assets.recognition.services.chromaprint import chromaprint
from mfcc_assets.recognition.services.http import Fault, PassingFailure, Service, UnusableSample
from mfcc_assets.recognition.services.pacing import Timing
from mfcc_assets.recognition.services.queries import Secrets, secret

# What its terms allow.
_A_SECOND = 3.0

# It also answers with what is merely alike.
_LEAST_SCORE = 0.5

_FAULTS = {
    3: Fault("it can do nothing with the fingerprint", "Supply a longer file", UnusableSample),
    4: Fault("it does not know the key", "Set the secret acoustid-key to that of a registered application"),
    5: Fault("it failed for a reason of its own", kind=PassingFailure),
    8: Fault("the file is too long for it", kind=UnusableSample),
    13: Fault("it is out of service", kind=PassingFailure),
    14: Fault("too many ask it at once", kind=PassingFailure),
}


class _Artist(BaseModel):
    name: str
    joinphrase: str = ""


class _Recording(BaseModel):
    id: str
    title: str = ""
    artists: list[_Artist] = []


class _Result(BaseModel):
    score: FiniteFloat
    recordings: list[_Recording] = []


class _Success(BaseModel):
    status: Literal["ok"]
    results: list[_Result]


class _Error(BaseModel):
    code: int


class _Failure(BaseModel):
    status: Literal["error"]
    error: _Error


class _Answer(RootModel[Annotated[_Success | _Failure, Field(discriminator="status")]]):
    pass


class AcoustId(Recogniser):
    """Sends a fingerprint and nothing of the audio.

    Parameters
    ----------
    url
        Of the method.
    secrets
        Of which ``acoustid-key`` is read.
    service
        From `acoustid_service`.
    """

    name = "acoustid"

    def __init__(self, url: str, secrets: Secrets, service: Service) -> None:
        self._url = url
        self._secrets = secrets
        self._service = service

    def recognise(self, query: Recording) -> Recognition | None:
        key = secret(self._secrets, "acoustid-key")
        sent = chromaprint(query.path)
        form = {
            "client": key,
            "format": "json",
            "meta": "recordings",
            "duration": str(round(sent.seconds)),
            "fingerprint": sent.text,
        }
        return self._service.ask(self._url, form, _Answer, self._read)

    def _read(self, answer: _Answer) -> Recognition | None:
        if isinstance(answer.root, _Failure):
            raise self._service.fault(answer.root.error.code)
        for result in sorted(answer.root.results, key=lambda result: -result.score):
            # A fingerprint may be known, and nobody have said yet what it is of.
            titled = (recording for recording in result.recordings if clean_text(recording.title))
            if result.score >= _LEAST_SCORE and (recording := next(titled, None)):
                return Recognition(
                    clean_text(recording.title),
                    clean_text("".join(f"{artist.name}{artist.joinphrase}" for artist in recording.artists)),
                    self.name,
                    certainty=round(min(result.score, 1.0), 3),
                    external_ids={"musicbrainz_recording": clean_text(recording.id)},
                )
        return None


def acoustid_service(client: httpx.Client, timing: Timing) -> Service:
    return Service("AcoustID", _FAULTS, client, a_second=_A_SECOND, timing=timing)
