"""The recogniser that asks ACRCloud: https://docs.acrcloud.com/reference/identification-api."""

import base64
import hmac
import time
from collections.abc import Callable
from typing import Any

import httpx
from pydantic import BaseModel, Field, FiniteFloat

from mfcc_assets.audio.excerpt import Excerpt
from mfcc_assets.audio.tags import clean_text
from mfcc_assets.errors import RecogniserUnavailable
from mfcc_assets.recognition.recogniser import Recogniser, Recognition, RecognitionQuery
from mfcc_assets.recognition.services.excerpts_and_secrets import Secrets, excerpt_of, read_secret
from mfcc_assets.recognition.services.http import Fault, Service, TemporaryFailure, UnusableExcerpt
from mfcc_assets.recognition.services.pacing import Timing

_PATH = "/v1/identify"

# The limit depends on the plan of the project. ACRCloud answers with error 3015 above it.
_REQUESTS_PER_SECOND = 5.0
_FOUND, _UNKNOWN = 0, 1001

_FAULTS = {
    2001: Fault("it took too long internally", kind=TemporaryFailure),
    2004: Fault("it finds no fingerprint in the excerpt", "Supply a longer or louder file", UnusableExcerpt),
    2005: Fault("it took too long internally", kind=TemporaryFailure),
    3000: Fault("it had an internal error", kind=TemporaryFailure),
    3001: Fault("it does not know the access key", "Set the secret acrcloud-key to the key of the project"),
    3003: Fault("the requests of the project are used up", "Extend the plan of the project"),
    3014: Fault(
        "it does not accept the signature", "Set the secret acrcloud-secret, and check the clock of this machine"
    ),
    3015: Fault("it receives too many requests", kind=TemporaryFailure),
}

_EXTERNAL_IDS = ("isrc", "iswc", "upc")


class _Status(BaseModel):
    code: int


class _Artist(BaseModel):
    name: str


class _Music(BaseModel):
    title: str
    artists: list[_Artist] = []
    score: FiniteFloat | None = None
    db_begin_time_offset_ms: FiniteFloat | None = None
    sample_begin_time_offset_ms: FiniteFloat | None = None
    acrid: str = ""
    external_ids: dict[str, Any] = {}


class _Metadata(BaseModel):
    music: list[_Music] = []


class _Answer(BaseModel):
    status: _Status
    metadata: _Metadata = Field(default_factory=_Metadata)


class AcrCloud(Recogniser):
    """Recognises a query by sending an excerpt to ACRCloud, signed with the secret of the project.

    Parameters
    ----------
    url
        Address of the project, such as ``https://identify-….acrcloud.com``.
    secrets
        Source of the secrets ``acrcloud-key`` and ``acrcloud-secret``.
    service
        A service from `acrcloud_service`.
    clock
        Returns the seconds since 1970.
    """

    name = "acrcloud"

    def __init__(self, url: str, secrets: Secrets, service: Service, *, clock: Callable[[], float] = time.time) -> None:
        self._url = url
        self._secrets = secrets
        self._service = service
        self._clock = clock

    def recognise(self, query: RecognitionQuery) -> Recognition | None:
        if not self._url:
            raise RecogniserUnavailable(
                "it has no address",
                subject=self._service.name,
                remedy="Set MFCC_ACRCLOUD_URL to the address of the project",
            )
        key, private = (read_secret(self._secrets, name) for name in ("acrcloud-key", "acrcloud-secret"))
        excerpt = excerpt_of(query)
        timestamp = str(int(self._clock()))
        form = {
            "access_key": key,
            "data_type": "audio",
            "signature_version": "1",
            "signature": _signature(key, private, timestamp),
            "sample_bytes": str(len(excerpt.data)),
            "timestamp": timestamp,
        }
        files = {"sample": (f"sample{excerpt.suffix}", excerpt.data, excerpt.media_type)}
        url = self._url.rstrip("/") + _PATH
        return self._service.post(url, form, _Answer, lambda answer: self._read(answer, excerpt), files)

    def _read(self, answer: _Answer, excerpt: Excerpt) -> Recognition | None:
        if answer.status.code not in (_FOUND, _UNKNOWN):
            raise self._service.fault(answer.status.code)
        if not answer.metadata.music or not (title := clean_text(answer.metadata.music[0].title)):
            return None
        best = answer.metadata.music[0]
        identifiers = {"acrid": best.acrid, **{name: best.external_ids.get(name) for name in _EXTERNAL_IDS}}
        return Recognition(
            title,
            clean_text(", ".join(artist.name for artist in best.artists)),
            self.name,
            offset_seconds=_offset_seconds(best, excerpt),
            certainty=None if best.score is None else best.score / 100,
            external_ids={name: clean_text(id_) for name, id_ in identifiers.items() if isinstance(id_, str) and id_},
        )


def acrcloud_service(client: httpx.Client, timing: Timing) -> Service:
    """Return the service that `AcrCloud` sends its requests to."""
    return Service("ACRCloud", _FAULTS, client, requests_per_second=_REQUESTS_PER_SECOND, timing=timing)


def _offset_seconds(music: _Music, excerpt: Excerpt) -> float | None:
    """Return the position in the recording at which the query begins.

    ACRCloud's `play_offset_ms` is the position at the end of the excerpt and is not used.
    """
    if music.db_begin_time_offset_ms is None or music.sample_begin_time_offset_ms is None:
        return None
    excerpt_begin = (music.db_begin_time_offset_ms - music.sample_begin_time_offset_ms) / 1000
    return round(excerpt_begin - excerpt.begin_seconds, 1)


def _signature(key: str, private: str, timestamp: str) -> str:
    signed = "\n".join(("POST", _PATH, key, "audio", "1", timestamp))
    return base64.b64encode(hmac.digest(private.encode(), signed.encode(), "sha1")).decode()
