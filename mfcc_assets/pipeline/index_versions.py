"""The versions of the index: which there are, what one recommends otherwise than another, and which may go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from mfcc_assets.errors import VersionNotFound
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_rules import selection_of
from mfcc_assets.pipeline.publication import rollbacks
from mfcc_assets.storage.index_history import StoredVersion, withdrawn
from mfcc_assets.storage.sql.records import Credit

COMPARED_COUNT = 5
"""Places of each list that two versions are compared by."""


@dataclass(frozen=True)
class DescribedVersion:
    """A version of the index with what became of it.

    Attributes
    ----------
    quality
        What was measured of it; empty where nothing was.
    published_at
        Every time that it began to answer, in UTC.
    """

    stored: StoredVersion
    quality: Mapping[str, float | None]
    published_at: Sequence[datetime]
    answers: bool
    is_withdrawn: bool

    @property
    def state(self) -> str:
        """``answers``, ``withdrawn``, ``answered`` before, or ``never answered``."""
        if self.answers:
            return "answers"
        if self.is_withdrawn:
            return "withdrawn"
        return "answered" if self.published_at else "never answered"


def describe_versions(library: Library) -> list[DescribedVersion]:
    """Every stored version, the one that was built last coming first.

    Raises
    ------
    CorruptIndex
        The pointer, the history of publications or the figures of a version cannot be read.
    """
    published, history = library.indexes.published_version(), library.indexes.history()
    gone = withdrawn(history)
    return [
        DescribedVersion(
            stored,
            quality=library.indexes.read_quality(stored.version),
            published_at=[each.published_at for each in history if each.version == stored.version],
            answers=stored.version == published,
            is_withdrawn=stored.version in gone,
        )
        for stored in reversed(library.indexes.versions())
    ]


def version_named(library: Library, text: str) -> str:
    """The version that begins with a text.

    Raises
    ------
    VersionNotFound
        None does, or several do.
    """
    found = [stored.version for stored in library.indexes.versions() if stored.version.startswith(text)]
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} versions begin so: {', '.join(found)}" if found else "no version begins so"
    raise VersionNotFound(what, subject=f"index “{text}”", remedy="`mfcc index list` names all there are")


@dataclass(frozen=True)
class ListChange:
    """What two versions recommend otherwise for one track.

    Attributes
    ----------
    query
        Audio id.
    left, came
        Audio ids that only the first version names, and that only the second does, best first.
    highest
        The first place that differs, 1 being the best.
    """

    query: str
    left: tuple[str, ...]
    came: tuple[str, ...]
    highest: int


@dataclass(frozen=True)
class IndexDiff:
    """What two versions of the index recommend otherwise.

    Attributes
    ----------
    compared
        How many tracks both rank others for.
    changed
        Those for which the second version names other tracks, the largest changes first.
    reordered
        Those for which it names the same tracks in another order, likewise.
    only_first, only_second
        Audio ids that the other version does not have.
    track_ids
        Of all audio that is named here the track that stood for it when the indexes were built.
    """

    compared: int
    changed: Sequence[ListChange]
    reordered: Sequence[ListChange]
    only_first: Sequence[str]
    only_second: Sequence[str]
    track_ids: Mapping[str, str]


def diff_versions(library: Library, first: str, second: str) -> IndexDiff:
    """Compare what two versions recommend for every track that both have, by the first `COMPARED_COUNT` places.

    Lists are chosen as listeners get them, by the tags and settings of today: without second recordings, and with no
    more of one artist than the settings allow. What the library has lost since is named all the same.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        One of them cannot be read.
    """
    before, after = _lists(library, first), _lists(library, second)
    in_first, in_second = (library.indexes.read(version).tracks for version in (first, second))
    compared = sorted(before.keys() & after.keys())
    differences = sorted(
        (
            _difference(audio_id, before[audio_id], after[audio_id])
            for audio_id in compared
            if before[audio_id] != after[audio_id]
        ),
        key=lambda difference: (-len(difference.came), -len(difference.left), difference.highest),
    )
    only_first = [audio_id for audio_id in in_first if audio_id not in in_second]
    only_second = [audio_id for audio_id in in_second if audio_id not in in_first]
    named = {audio_id for one in differences for audio_id in (one.query, *one.left, *one.came)}
    return IndexDiff(
        compared=len(compared),
        changed=[one for one in differences if one.left or one.came],
        reordered=[one for one in differences if not one.left and not one.came],
        only_first=only_first,
        only_second=only_second,
        track_ids={
            audio_id: in_second[audio_id] if audio_id in in_second else in_first[audio_id]
            for audio_id in named.union(only_first, only_second)
        },
    )


def _lists(library: Library, version: str) -> dict[str, tuple[str, ...]]:
    """What an audio's listeners would see if the version answered, and nothing had gone since it was built."""
    index, credited = library.indexes.read(version), library.catalogue.credits()
    there = {
        audio_id: credited.get(audio_id) or Credit(track, artist="", album="")
        for audio_id, track in index.tracks.items()
    }
    selection = selection_of(library, index, there)
    return {
        query: tuple(selection.choose((audio_id for audio_id, _ in found), COMPARED_COUNT, without={query}))
        for shard in library.shards
        if (pairs := library.rankings.read("rankings", version, shard)) is not None
        for query, found in pairs.by_query().items()
    }


def _difference(query: str, before: tuple[str, ...], after: tuple[str, ...]) -> ListChange:
    places = enumerate(zip_longest(before, after), start=1)
    return ListChange(
        query,
        left=tuple(audio_id for audio_id in before if audio_id not in after),
        came=tuple(audio_id for audio_id in after if audio_id not in before),
        highest=next(place for place, (one, other) in places if one != other),
    )


def prune_versions(library: Library, *, keep: int) -> list[str]:
    """Delete all versions but those built last; which ones went, oldest first.

    The one that answers stays in any case, the one that a rollback would lead to, and the one that runs work on.

    Parameters
    ----------
    keep
        How many of those built last stay.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        What answers, answered before, or was built last cannot be told.
    """
    versions = [stored.version for stored in library.indexes.versions()]
    needed = {library.indexes.published_version(), library.indexes.built_version(), *rollbacks(library)[:1]}
    gone = [version for version in versions[: max(len(versions) - keep, 0)] if version not in needed]
    for version in gone:
        library.indexes.delete(version)
    return gone
