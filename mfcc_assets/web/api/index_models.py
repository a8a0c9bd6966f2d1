"""Index versions, their quality, and the health of the library as programs get them."""

from typing import Annotated, Literal, Self

from pydantic import Field

from mfcc_assets.pipeline.index_versions import DescribedVersion
from mfcc_assets.web.api.asking import WRITTEN
from mfcc_assets.web.api.models import VERSION, ListPage, Model, Seconds, Text, Time, VersionText
from mfcc_assets.web.api.track_models import Limit, Track

Figures = Annotated[
    dict[str, float | None], Field(description="Measured figures by name", examples=[{"at_5": 0.488, "recall": 0.991}])
]


class IndexVersion(Model):
    """A stored version of the index."""

    version: VersionText
    state: Literal["damaged", "answers", "withdrawn", "answered", "never answered"] = Field(examples=["answers"])
    built_at: Time
    published_at: list[Time]
    tracks: int = Field(ge=0, examples=[44])
    ranking: str = Field(examples=["fused"])
    features_version: str = Field(examples=["c0a1b2c3d4e5"])
    quality: Figures

    @classmethod
    def of(cls, described: DescribedVersion) -> Self:
        """Return a described version."""
        stored = described.stored
        return cls.model_validate(
            {
                "version": stored.version,
                "state": described.state,
                "built_at": stored.built_at.isoformat(),
                "published_at": [time.isoformat() for time in described.published_at],
                "tracks": stored.tracks,
                "ranking": stored.ranking,
                "features_version": stored.features_version,
                "quality": dict(described.quality),
            }
        )


class IndexesQuery(Model):
    """Which page of the versions is asked for."""

    limit: Limit = 50
    after: Annotated[str, Field(pattern=VERSION)] | None = Field(None, description="`after` of the page before it")


class IndexPage(ListPage):
    """A page of the versions, the newest first."""

    items: list[IndexVersion]


class DiffQuery(Model):
    """Which versions are compared."""

    first: VersionText = Field(description="A version, or its first characters")
    second: VersionText = Field(description="Another version, or its first characters")
    top: Annotated[int, Field(ge=0, le=200), WRITTEN] = Field(
        10, description="Number of changes that are listed", examples=[10]
    )


class NamedTrack(Model):
    """A track of an index, which may have left the library."""

    track_id: str = Field(examples=["0f5a8c3e71d2b964"])
    title: Text | None = Field(description="Null if the track has left the library", examples=["Ocean"])
    artist: Text | None = Field(examples=["Will Savino"])


class Change(Model):
    """The difference between the lists of two versions for one track."""

    track: NamedTrack
    left: list[NamedTrack] = Field(description="Tracks that only the list of the first version has")
    came: list[NamedTrack] = Field(description="Tracks that only the list of the second version has")
    highest_place: int = Field(ge=1, description="Place of the first difference", examples=[2])


class Diff(Model):
    """The difference between the lists of five of two versions."""

    first: VersionText
    second: VersionText
    compared: int = Field(ge=0, description="Tracks that both versions have", examples=[44])
    changed: int = Field(ge=0, description="Lists with other tracks", examples=[7])
    reordered: int = Field(ge=0, description="Lists with the same tracks in another order", examples=[3])
    unchanged: int = Field(ge=0, examples=[34])
    places: int = Field(ge=0, description="New tracks in all lists together", examples=[9])
    changes: list[Change]
    only_in_first: list[NamedTrack]
    only_in_second: list[NamedTrack]


class PublishRequest(Model):
    """Which version is to answer."""

    version: VersionText = Field(description="A version, or its first characters")
    although_worse: bool = Field(False, description="Publish it although it is worse", examples=[False])


class Publication(Model):
    """What answers now."""

    version: VersionText
    former: VersionText | None = Field(description="What answered before")


class Measured(Model):
    """The figures of a version that was published."""

    version: VersionText
    published_at: Time
    figures: Figures


class Quality(Model):
    """How good the lists are."""

    index_version: VersionText
    figures: Figures
    history: list[Measured] = Field(description="The last published versions, the oldest first")


class Hub(Model):
    """A track that is in many lists."""

    track: Track
    lists: int = Field(ge=0, description="Number of lists of five that have it", examples=[14])


class Health(Model):
    """What the library holds, and what is wrong with it."""

    index_version: VersionText | None
    tracks: int = Field(ge=0, examples=[44])
    seconds: Seconds
    states: dict[str, int] = Field(description="Number of tracks by their state", examples=[{"analysed": 44}])
    rejects: int = Field(ge=0, description="Files that cannot be used", examples=[0])
    duplicates: int = Field(ge=0, description="Groups of tracks with the same audio", examples=[1])
    orphans: int = Field(ge=0, description="Tracks in no list", examples=[2])
    hubs: list[Hub] = Field(description="The tracks in the most lists")
