"""Which versions of the index are stored, which of them answers, and which ones did.

indexes/<version>/index.json   what describes a version, written last
indexes/published.json         the pointer: the publication that counts
indexes/publications.json      the publications before it, oldest first
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from mfcc_assets.errors import BlobNotFound, Conflict, CorruptIndex
from mfcc_assets.storage.blobs.json_blobs import etag_of, read_json, replace_json
from mfcc_assets.storage.blobs.port import BlobStore

CONTAINER = "cepstra"
BY_RUN, BY_HAND, ROLLBACK = "run", "hand", "rollback"
_FOLDER = "indexes/"
_PUBLISHED = "indexes/published.json"
_PAST = "indexes/publications.json"


@dataclass(frozen=True)
class Publication:
    """A version that began to answer.

    Attributes
    ----------
    published_at
        When, in UTC.
    by
        `BY_RUN`, `BY_HAND`, or `ROLLBACK`.
    former
        What answered before.
    withdraws_former
        Whether somebody judged the former one: no run publishes it again by itself.
    """

    version: str
    published_at: datetime
    by: str = BY_RUN
    former: str | None = None
    withdraws_former: bool = False

    @classmethod
    def parse(cls, record: dict[str, Any]) -> Self:
        return cls(**{**record, "published_at": datetime.fromisoformat(record["published_at"])})

    def record(self) -> dict[str, Any]:
        return {**asdict(self), "published_at": self.published_at.isoformat()}


@dataclass(frozen=True)
class StoredVersion:
    """A version of the index that could answer."""

    version: str
    built_at: datetime
    tracks: int
    ranking: str
    features_version: str


def withdrawn(history: Iterable[Publication]) -> list[str]:
    """Versions that somebody withdrew and that were not published again since; the last one last."""
    versions: dict[str, None] = {}
    for publication in history:
        versions.pop(publication.version, None)
        if publication.withdraws_former and publication.former is not None:
            versions[publication.former] = None
    return list(versions)


def answered_before(history: Iterable[Publication]) -> list[str]:
    """The versions that rolling back leads to, one after the other."""
    versions: list[str] = []
    for publication in history:
        if publication.by == ROLLBACK:
            while versions and versions[-1] != publication.version:
                versions.pop()
        if versions[-1:] != [publication.version]:
            versions.append(publication.version)
    return versions[-2::-1]


class Versions:
    """Keeps the pointer to the version that answers, and the history of it."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def published(self) -> Publication | None:
        """The publication that counts; None before the first.

        Raises
        ------
        CorruptIndex
            The pointer cannot be read.
        """
        return read_json(
            self._blobs,
            CONTAINER,
            _PUBLISHED,
            Publication.parse,
            damaged="the pointer names no index",
            remedy="Delete that blob. Materialise the library again",
        )

    def history(self) -> list[Publication]:
        """All publications, oldest first. The last one counts, unless the pointer to it is damaged.

        Raises
        ------
        CorruptIndex
            What was published before cannot be read.
        """
        past = (
            read_json(
                self._blobs,
                CONTAINER,
                _PAST,
                lambda records: [Publication.parse(record) for record in records],
                damaged="the history of publications is damaged",
                remedy="Delete that blob: what answered before, and what was withdrawn, is forgotten with it",
            )
            or []
        )
        try:
            present = self.published()
        except CorruptIndex:
            return past
        # Whoever publishes is killed, at worst, when the present one has become a past one and not yet been replaced.
        return past if present is None or past[-1:] == [present] else [*past, present]

    def publish(self, version: str, *, by: str = BY_RUN, withdraws_former: bool = False) -> None:
        """Let a version answer from now on.

        Raises
        ------
        CorruptIndex
            What was published before cannot be read.
        Conflict
            Somebody else published meanwhile, and that counts.
        """
        seen = {name: etag_of(self._blobs, CONTAINER, name) for name in (_PAST, _PUBLISHED)}
        past = self.history()
        former = past[-1].version if past else None
        publication = Publication(version, datetime.now(UTC), by, former, withdraws_former)
        written = {_PAST: [former.record() for former in past], _PUBLISHED: publication.record()}
        try:
            for name, record in written.items():
                replace_json(self._blobs, CONTAINER, name, record, seen=seen[name])
        except Conflict as error:
            raise Conflict(
                "somebody else published meanwhile",
                subject=f"index {version}",
                remedy="Look at which version answers now, and publish this one again if it is still to",
            ) from error

    def stored(self) -> list[StoredVersion]:
        """Every version whose description can be read, in the order in which they were built."""
        names = [name for blob in self._blobs.list(CONTAINER, _FOLDER) if (name := blob.name).endswith("/index.json")]
        found = [version for name in names if (version := self._described(name)) is not None]
        return sorted(found, key=lambda version: (version.built_at, version.version))

    def exists(self, version: str) -> bool:
        return self._blobs.exists(CONTAINER, f"{_FOLDER}{version}/index.json")

    def delete(self, version: str) -> None:
        """Remove a version with its candidates, its rankings and its figures. One that is not there is no error."""
        names = [blob.name for blob in self._blobs.list(CONTAINER, f"{_FOLDER}{version}/")]
        # What is left by somebody killed meanwhile is still listed, and goes with the next pruning.
        for name in sorted(names, key=lambda name: name.endswith("/index.json")):
            self._blobs.delete(CONTAINER, name)

    def _described(self, name: str) -> StoredVersion | None:
        try:
            record = json.loads(self._blobs.read(CONTAINER, name))
            return StoredVersion(
                version=name.split("/")[-2],
                built_at=datetime.fromisoformat(record["created_at"]),
                tracks=int(record["tracks"]),
                ranking=str(record["parameters"]["ranking"]),
                features_version=str(record["features_version"]),
            )
        except (BlobNotFound, KeyError, TypeError, ValueError):
            return None
