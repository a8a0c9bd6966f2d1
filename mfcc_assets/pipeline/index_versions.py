"""Versions of the index: list them, compare what two of them recommend, and delete old ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex, VersionNotFound
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_order import stored_lists
from mfcc_assets.pipeline.list_rules import selection_of
from mfcc_assets.pipeline.publication import rollbacks
from mfcc_assets.storage.index_history import StoredVersion, withdrawn
from mfcc_assets.storage.sql.records import Credit

COMPARED_COUNT = 5
"""Number of tracks at the top of each list that are compared between two versions."""


@dataclass(frozen=True)
class DescribedVersion:
    """A version of the index, with its quality and its publications.

    Attributes
    ----------
    stored
        The stored version.
    quality
        Measured figures; empty if none were measured.
    published_at
        Times of its publications, in UTC.
    answers
        True if it is the published version, which answers queries.
    is_withdrawn
        True if it has been withdrawn, so that no run publishes it again.
    damage
        Sentence about what is damaged and can be found without reading all of it; empty if nothing is.
    """

    stored: StoredVersion
    quality: Mapping[str, float | None]
    published_at: Sequence[datetime]
    answers: bool
    is_withdrawn: bool
    damage: str

    @property
    def state(self) -> str:
        """``damaged``, ``answers``, ``withdrawn``, ``answered`` (only in the past), or ``never answered``."""
        if self.damage:
            return "damaged"
        if self.answers:
            return "answers"
        if self.is_withdrawn:
            return "withdrawn"
        return "answered" if self.published_at else "never answered"


def describe_versions(library: Library) -> list[DescribedVersion]:
    """Return every stored version whose description is intact, beginning with the one that was built last.

    Raises
    ------
    CorruptIndex
        If nobody knows which version answers.
    """
    history = library.indexes.history()
    withdrawn_versions = withdrawn(history)
    return [
        DescribedVersion(
            stored,
            quality=library.indexes.read_quality(stored.version),
            published_at=[each.published_at for each in history if each.version == stored.version],
            answers=bool(history) and stored.version == history[-1].version,
            is_withdrawn=stored.version in withdrawn_versions,
            damage=_damage(library, stored.version),
        )
        for stored in reversed(library.indexes.versions())
    ]


def damaged_descriptions(library: Library) -> dict[str, str]:
    """Return a sentence for each version of which not even the description can be read."""
    return {version: _damage(library, version) for version in library.indexes.damaged_versions()}


def _damage(library: Library, version: str) -> str:
    try:
        library.indexes.read(version)
    except (CorruptIndex, NoPublishedIndex) as error:
        return str(error)
    return ""


def version_named(library: Library, text: str) -> str:
    """Return the version whose name begins with a text.

    Raises
    ------
    VersionNotFound
        If no version or several versions begin with it.
    """
    versions = [stored.version for stored in library.indexes.versions()]
    found = [version for version in (*library.indexes.damaged_versions(), *versions) if version.startswith(text)]
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} versions begin with it: {', '.join(found)}" if found else "no version begins with it"
    raise VersionNotFound(what, subject=f"index “{text}”", remedy="`mfcc index list` shows all versions")


@dataclass(frozen=True)
class ListChange:
    """The difference between the lists of two versions for one track.

    Attributes
    ----------
    query
        Audio id of the track.
    removed
        Audio ids that only the list of the first version contains, best first.
    added
        Audio ids that only the list of the second version contains, best first.
    first_changed_rank
        Rank of the first difference; 1 is the best.
    """

    query: AudioId
    removed: tuple[AudioId, ...]
    added: tuple[AudioId, ...]
    first_changed_rank: int


@dataclass(frozen=True)
class IndexDiff:
    """The difference between the recommendations of two versions of the index.

    Attributes
    ----------
    compared
        Number of tracks that have a list in both versions.
    changed
        Lists with other tracks, the largest changes first.
    reordered
        Lists with the same tracks in another order, the highest changed rank first.
    only_first, only_second
        Audio ids that the other version does not have.
    track_ids
        Track id that represented each of these audio ids when the indexes were built.
    """

    compared: int
    changed: Sequence[ListChange]
    reordered: Sequence[ListChange]
    only_first: Sequence[AudioId]
    only_second: Sequence[AudioId]
    track_ids: Mapping[AudioId, TrackId]

    def counts(self) -> dict[str, int]:
        """Return how many lists are compared, changed, reordered and unchanged, and the new places in all of them."""
        changed, reordered = len(self.changed), len(self.reordered)
        return {
            "compared": self.compared,
            "changed": changed,
            "reordered": reordered,
            "unchanged": self.compared - changed - reordered,
            "places": sum(len(change.added) for change in self.changed),
        }


def diff_versions(library: Library, first: str, second: str) -> IndexDiff:
    """Compare the lists of two versions for every track that both have, up to `COMPARED_COUNT` tracks of each list.

    Lists are chosen as listeners get them, with the present tags and settings: each recording at most once, and no more
    of one artist than the settings allow. Tracks that have left the library since are included.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        If one of the versions does not exist or cannot be read.
    """
    before, after = _lists(library, first), _lists(library, second)
    in_first, in_second = (library.indexes.read(version).tracks for version in (first, second))
    compared = sorted(before.keys() & after.keys())
    changes = sorted(
        (
            _list_change(audio_id, before[audio_id], after[audio_id])
            for audio_id in compared
            if before[audio_id] != after[audio_id]
        ),
        key=lambda change: (-len(change.added), -len(change.removed), change.first_changed_rank),
    )
    only_first = [audio_id for audio_id in in_first if audio_id not in in_second]
    only_second = [audio_id for audio_id in in_second if audio_id not in in_first]
    named = {audio_id for change in changes for audio_id in (change.query, *change.removed, *change.added)}
    return IndexDiff(
        compared=len(compared),
        changed=[change for change in changes if change.removed or change.added],
        reordered=[change for change in changes if not change.removed and not change.added],
        only_first=only_first,
        only_second=only_second,
        track_ids={
            audio_id: in_second[audio_id] if audio_id in in_second else in_first[audio_id]
            for audio_id in named.union(only_first, only_second)
        },
    )


def names_of_diff(
    library: Library, comparison: IndexDiff, shown: Sequence[ListChange]
) -> dict[AudioId, Mapping[str, str | None]]:
    """Return ``track_id``, ``title`` and ``artist`` of the tracks in a comparison, by audio id.

    Title and artist are None if the track has left the library.

    Parameters
    ----------
    library, comparison
        The library, and the comparison of two of its versions.
    shown
        The changes whose tracks are named.
    """
    audio_ids = {
        *(audio_id for change in shown for audio_id in (change.query, *change.removed, *change.added)),
        *comparison.only_first,
        *comparison.only_second,
    }
    soundtracks = library.catalogue.tracks_of_audio(audio_ids)
    return {
        audio_id: {"track_id": track.track_id, "title": track.title, "artist": track.artist}
        if (track := soundtracks.get(audio_id))
        else {"track_id": comparison.track_ids[audio_id], "title": None, "artist": None}
        for audio_id in audio_ids
    }


def _lists(library: Library, version: str) -> dict[AudioId, tuple[AudioId, ...]]:
    """Return the lists that a version would recommend if no track had left the library since it was built."""
    index, credited = library.indexes.read(version), library.catalogue.credits()
    every_credit = {audio_id: credited.get(audio_id) or Credit(track) for audio_id, track in index.tracks.items()}
    selection = selection_of(library, index, every_credit)
    return {
        query: tuple(selection.choose((audio_id for audio_id, _ in found), COMPARED_COUNT, without={query}))
        for query, found in stored_lists(library, version)
    }


def _list_change(query: AudioId, before: tuple[AudioId, ...], after: tuple[AudioId, ...]) -> ListChange:
    ranks = enumerate(zip_longest(before, after), start=1)
    return ListChange(
        query,
        removed=tuple(audio_id for audio_id in before if audio_id not in after),
        added=tuple(audio_id for audio_id in after if audio_id not in before),
        first_changed_rank=next(rank for rank, (one, other) in ranks if one != other),
    )


def prune_versions(library: Library, *, keep: int) -> list[str]:
    """Delete damaged and old versions, and return the deleted ones.

    The published version, the version to which a rollback would return, and the version that runs are working on are
    never deleted.

    Parameters
    ----------
    library
        The library.
    keep
        Number of the latest versions to keep. Damaged ones are not kept.

    Raises
    ------
    NoPublishedIndex, CorruptIndex
        If it is not known which version is published, was published before, or was built last.
    """
    versions = [stored.version for stored in library.indexes.versions()]
    needed = {library.indexes.published_version(), library.indexes.built_version(), *rollbacks(library)[:1]}
    old = [*library.indexes.damaged_versions(), *versions[: max(len(versions) - keep, 0)]]
    deleted = [version for version in old if version not in needed]
    for version in deleted:
        library.indexes.delete(version)
    library.indexes.delete_unused_segments()
    library.rankings.delete_unused_layers()
    library.tables.delete_unused()
    library.figures.delete_unused(library.indexes.calibrations())
    return deleted
