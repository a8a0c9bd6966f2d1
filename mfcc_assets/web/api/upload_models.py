"""Uploads and their answers as programs get them."""

from typing import Annotated, Literal

from pydantic import Field

from mfcc_assets.web.api.models import (
    ListPage,
    Model,
    Seconds,
    Share,
    Text,
    Time,
    TrackIdText,
    UploadIdText,
    VersionText,
)
from mfcc_assets.web.api.track_models import Limit, Near, Track

UploadStateWord = Annotated[
    Literal["waiting", "received", "recognised", "candidates", "ranked", "failed", "gone"], Field(examples=["ranked"])
]
Shown = Annotated[
    Literal["none", "candidates", "preview", "recorded", "failed", "long"],
    Field(
        description="Which answer there is: a preview, until a run has recorded it; long if only the run gives one",
        examples=["recorded"],
    ),
]


class NameQuery(Model):
    """The name of a file that is sent."""

    name: str = Field("", max_length=1000, description="Name of the file", examples=["song.mp3"])


class Created(Model):
    """An upload that was taken."""

    upload_id: UploadIdText
    address: str = Field(
        description="Address at which its answer comes", examples=["/api/v1/uploads/8ea2610ba03e0e7d1b8ace257ae66031"]
    )


class UploadProgress(Model):
    """How far an upload is."""

    upload_id: UploadIdText
    state: UploadStateWord
    shown: Shown
    is_last: bool = Field(description="Whether nothing more will happen", examples=[True])


class Recognised(Model):
    """What an upload was recognised as."""

    title: Text = Field(examples=["A New Journey"])
    artist: Text = Field(examples=["Maxstack"])
    by: str = Field(description="The recogniser", examples=["library"])


class UnansweredRecogniser(Model):
    """A recogniser that could not answer."""

    by: str = Field(examples=["audd"])


class Failure(Model):
    """Why an upload has no answer."""

    code: str = Field(examples=["too_short"])
    words: Text = Field(examples=["The file is too short."])


class Recommendation(Near):
    """A recommended track."""

    rank: int = Field(ge=1, description="Its place in the list", examples=[1])


class Upload(UploadProgress):
    """An upload and its answer."""

    is_mine: bool = Field(description="Whether this caller has sent it, and may delete it", examples=[True])
    received: Time
    file_name: Text = Field(examples=["a-new-journey.mp3"])
    seconds: Seconds | None
    note: Text | None = Field(description="A remark on its quality", examples=[""])
    recognised: Recognised | None
    recognition_failures: list[UnansweredRecogniser]
    failure: Failure | None
    index_version: VersionText | None = Field(description="The index that answered")
    ranking: str | None = Field(examples=["fused"])
    indexed_tracks: int | None = Field(ge=0, description="Tracks of this index", examples=[44])
    library_tracks: int | None = Field(ge=0, description="Tracks of the library at that time", examples=[44])
    recall: Share | None = Field(description="Share of the truly nearest tracks that the search finds")
    recommendations: list[Recommendation] = Field(description="Recommended tracks, best first")
    candidates: list[Track] = Field(description="Tracks that may be recommended, while they are compared")


class UploadsQuery(Model):
    """Which page of the uploads is asked for."""

    limit: Limit = 50
    after: str | None = Field(None, max_length=4096, description="`after` of the page before it")


class ListedUpload(Model):
    """An upload of a list."""

    upload_id: UploadIdText
    address: str = Field(
        description="Address of its answer", examples=["/api/v1/uploads/8ea2610ba03e0e7d1b8ace257ae66031"]
    )
    is_mine: bool = Field(description="Whether this caller has sent it", examples=[True])
    state: UploadStateWord
    received: Time
    file_name: Text = Field(examples=["a-new-journey.mp3"])
    seconds: Seconds | None
    recognised: Recognised | None


class UploadPage(ListPage):
    """A page of the uploads, the last received first. It may be short although others follow: `after` tells."""

    items: list[ListedUpload]


class OlderRecommendation(Model):
    """A recommended track, with links that end soon."""

    rank: int = Field(ge=1, examples=[1])
    track_id: TrackIdText
    title: str = Field(examples=["Ocean"])
    artist: str = Field(examples=["Will Savino"])
    album: str = Field(examples=["Music d20"])
    year: int | None = Field(examples=[2019])
    seconds: Seconds | None
    soundtrack: str = Field(description="Signed link to its audio", examples=["/blobs/soundtracks/ocean.ogg?expires=1"])
    artwork: str = Field(description="Signed link to its artwork", examples=["/blobs/artworks/0f.jpg?expires=1"])
    distance: float = Field(examples=[0.231])


class OlderRecognitionFailure(UnansweredRecogniser):
    """Why a recogniser could not answer."""

    reason: str = Field(examples=["It does not answer."])


class OlderFailure(Failure):
    """Why an upload has no answer, with the exact reason."""

    reason: str = Field(examples=["only 0.30 s of audio could be decoded"])


class OlderUpload(Model):
    """An upload as callers of the older interface know it."""

    id: UploadIdText
    state: UploadStateWord
    received: Time
    times: dict[str, str] = Field(description="When it reached each state", examples=[{"waiting": "2026-11-01T12:00Z"}])
    file_name: str = Field(examples=["a-new-journey.mp3"])
    seconds: Seconds | None
    note: str | None = Field(examples=[""])
    recognised: Recognised | None
    recognition_failures: list[OlderRecognitionFailure]
    failure: OlderFailure | None
    run_id: str = Field(description="The run that wrote it", examples=["1c9a1f3e-0c1d-4a5b-9d7e-3f2a1b0c9d8e"])
    index_version: str | None = Field(examples=["4671e799961d"])
    ranking: str | None = Field(examples=["fused"])
    indexed_tracks: int | None = Field(examples=[44])
    library_tracks: int | None = Field(examples=[44])
    recall: Share | None
    links_end_after_seconds: int = Field(examples=[600])
    recommendations: list[OlderRecommendation]
