"""What all models of requests and answers have in common, and the model of a problem."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mfcc_assets.texts import printable

Text = Annotated[str, AfterValidator(printable)]
"""A text of tags or files, as it can safely be shown. It also has no lone surrogate, which JSON could not hold."""

TRACK_ID, UPLOAD_ID, VERSION = "^[0-9a-f]{16}$", "^[0-9a-f]{32}$", "^[0-9a-f]{4,12}$"
"""Forms of a track id, an upload id, and the beginning of an index version."""

TrackIdText = Annotated[str, Field(pattern=TRACK_ID, examples=["0f5a8c3e71d2b964"])]
UploadIdText = Annotated[str, Field(pattern=UPLOAD_ID, examples=["8ea2610ba03e0e7d1b8ace257ae66031"])]
VersionText = Annotated[str, Field(pattern=VERSION, examples=["4671e799961d"])]
Seconds = Annotated[float, Field(ge=0, examples=[183.4])]
Share = Annotated[float, Field(ge=0, le=1, examples=[0.987])]
Time = Annotated[str, Field(description="ISO 8601 time in UTC", examples=["2026-11-01T12:00:00+00:00"])]


class Model(BaseModel):
    """A JSON object whose members are known. Each has an example, from which the description takes its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Fault(Model):
    """A part of a request that is wrong."""

    where: str = Field(description="Name of the parameter, or place in the body", examples=["limit"])
    detail: str = Field(description="What is wrong", examples=["Input should be less than or equal to 200"])


class Problem(Model):
    """What went wrong, as RFC 9457 describes it."""

    type: str = Field(description="Always about:blank: the status says which kind it is", examples=["about:blank"])
    title: str = Field(description="The status in words", examples=["Not Found"])
    status: int = Field(description="The status", examples=[404])
    detail: str = Field(
        description="Sentences for people; empty if the status says enough",
        examples=["The library has no such track. It may have been removed."],
    )
    errors: list[Fault] | None = Field(None, description="The parts of the request that are wrong", examples=[None])


class ListPage(Model):
    """What all pages of lists have, beside their items."""

    after: str | None = Field(
        description="Cursor of the next page; null if nothing follows", examples=["WyJ0aXRsZSIsIm9jZWFuIiwiMGYiXQ"]
    )


class Totals(Model):
    """The number of tracks, and their length together."""

    tracks: int = Field(ge=0, examples=[12])
    seconds: Seconds
