"""The recogniser that asks AcoustID, with its method `lookup`: https://acoustid.org/webservice."""

from typing import Annotated, Literal

import httpx
from pydantic import BaseModel, Field, FiniteFloat, RootModel

from mfcc_assets.audio.tags import clean_text
from mfcc_assets.recognition.recogniser import Recogniser, Recognition, RecognitionQuery
from mfcc_assets.recognition.services.chromaprint import chromaprint
from mfcc_assets.recognition.services.excerpts_and_secrets import Secrets, read_secret
from mfcc_assets.recognition.services.http import Fault, Service, TemporaryFailure, UnusableExcerpt
from mfcc_assets.recognition.services.pacing import Timing

# AcoustID's terms of use allow this rate.
_REQUESTS_PER_SECOND = 3.0

# AcoustID also returns recordings that are only similar.
_MINIMUM_SCORE = 0.5

_FAULTS = {
    3: Fault("it cannot use the fingerprint", "Supply a longer file", UnusableExcerpt),
    4: Fault("it does not know the key", "Set the secret acoustid-key to the key of a registered application"),
    5: Fault("it had an internal error", kind=TemporaryFailure),
    8: Fault("the file is too long for it", kind=UnusableExcerpt),
    13: Fault("it is not available", kind=TemporaryFailure),
    14: Fault("it receives too many requests", kind=TemporaryFailure),
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
    """Recognises a query by sending its Chromaprint fingerprint to AcoustID. It sends no audio.

    Parameters
    ----------
    url
        Address of the method.
    secrets
        Source of the secret ``acoustid-key``.
    service
        A service from `acoustid_service`.
    """

    name = "acoustid"

    def __init__(self, url: str, secrets: Secrets, service: Service) -> None:
        self._url = url
        self._secrets = secrets
        self._service = service

    def recognise(self, query: RecognitionQuery) -> Recognition | None:
        key = read_secret(self._secrets, "acoustid-key")
        fingerprint = chromaprint(query.path)
        form = {
            "client": key,
            "format": "json",
            "meta": "recordings",
            "duration": str(round(fingerprint.seconds)),
            "fingerprint": fingerprint.text,
        }
        return self._service.post(self._url, form, _Answer, self._read)

    def _read(self, answer: _Answer) -> Recognition | None:
        if isinstance(answer.root, _Failure):
            raise self._service.fault(answer.root.error.code)
        for result in sorted(answer.root.results, key=lambda result: -result.score):
            # AcoustID may know a fingerprint to which nobody has assigned a title yet.
            titled = (recording for recording in result.recordings if clean_text(recording.title))
            if result.score >= _MINIMUM_SCORE and (recording := next(titled, None)):
                return Recognition(
                    clean_text(recording.title),
                    clean_text("".join(f"{artist.name}{artist.joinphrase}" for artist in recording.artists)),
                    self.name,
                    certainty=round(min(result.score, 1.0), 3),
                    external_ids={"musicbrainz_recording": clean_text(recording.id)},
                )
        return None


def acoustid_service(client: httpx.Client, timing: Timing) -> Service:
    """Return the service that `AcoustId` sends its requests to."""
    return Service("AcoustID", _FAULTS, client, requests_per_second=_REQUESTS_PER_SECOND, timing=timing)
