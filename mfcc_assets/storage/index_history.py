"""The stored versions of the index, the one that answers now, and the ones that answered before.

indexes/<version>/index.json   description of a version: the last file of a version that is written
indexes/built.json             pointer to the version that was built last
indexes/published.json         pointer to the version that answers: the present publication
indexes/publications.json      the earlier publications, oldest first
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from mfcc_assets.errors import Conflict, CorruptIndex
from mfcc_assets.storage.blobs.json_blobs import etag_of, read_json, replace_json, write_json
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore

BY_RUN, BY_HAND, ROLLBACK = "run", "hand", "rollback"
_FOLDER = "indexes/"
_PUBLISHED = "indexes/published.json"
_PAST = "indexes/publications.json"
_BUILT = "indexes/built.json"
_Record = TypeVar("_Record")


@dataclass(frozen=True)
class Publication:
    """The moment from which a version answers.

    Attributes
    ----------
    version
        Version of the index.
    published_at
        Time of the publication in UTC.
    by
        Cause of the publication: `BY_RUN`, `BY_HAND` or `ROLLBACK`.
    former
        Version that answered before, or None.
    withdraws_former
        Whether somebody rejected the former version, so that no run publishes it again by itself.
    """

    version: str
    published_at: datetime
    by: str = BY_RUN
    former: str | None = None
    withdraws_former: bool = False

    @classmethod
    def parse(cls, record: dict[str, Any]) -> Self:
        """Make a publication of its JSON record."""
        return cls(**{**record, "published_at": datetime.fromisoformat(record["published_at"])})

    def record(self) -> dict[str, Any]:
        """Return the JSON record of the publication."""
        return {**asdict(self), "published_at": self.published_at.isoformat()}


@dataclass(frozen=True)
class StoredVersion:
    """The description of a stored version of the index."""

    version: str
    built_at: datetime
    tracks: int
    ranking: str
    features_version: str


def withdrawn(history: Iterable[Publication]) -> list[str]:
    """Return the versions that were withdrawn and not published again since, in the order of withdrawal."""
    versions: dict[str, None] = {}
    for publication in history:
        versions.pop(publication.version, None)
        if publication.withdraws_former and publication.former is not None:
            versions[publication.former] = None
    return list(versions)


def answered_before(history: Iterable[Publication]) -> list[str]:
    """Return the versions to which repeated rollbacks lead, in order."""
    versions: list[str] = []
    for publication in history:
        if publication.by == ROLLBACK:
            while versions and versions[-1] != publication.version:
                versions.pop()
        if versions[-1:] != [publication.version]:
            versions.append(publication.version)
    return versions[-2::-1]


class IndexHistory:
    """Reads and writes the pointers to versions of the index and the history of publications."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def published(self) -> Publication | None:
        """Return the present publication; None before the first one.

        Raises
        ------
        CorruptIndex
            If the pointer is damaged.
        """
        return self._pointer(_PUBLISHED, Publication.parse)

    def built(self) -> str | None:
        """Return the version that was built last; None before the first one.

        Raises
        ------
        CorruptIndex
            If the pointer is damaged.
        """
        return self._pointer(_BUILT, lambda record: str(record["version"]))

    def set_built(self, version: str) -> None:
        """Store the version that was built last."""
        write_json(self._blobs, CEPSTRA, _BUILT, {"version": version})

    def history(self) -> list[Publication]:
        """Return all publications, oldest first. The last one is the present one, unless its pointer is damaged.

        Raises
        ------
        CorruptIndex
            If the record of earlier publications is damaged.
        """
        past = (
            read_json(
                self._blobs,
                CEPSTRA,
                _PAST,
                lambda records: [Publication.parse(record) for record in records],
                damaged="the history of publications is damaged",
                remedy="Delete that blob: the record of earlier and withdrawn versions is lost with it",
            )
            or []
        )
        try:
            present = self.published()
        except CorruptIndex:
            return past
        # If a process was killed while it published, the present publication may already be among the earlier ones.
        return past if present is None or past[-1:] == [present] else [*past, present]

    def publish(self, version: str, *, by: str = BY_RUN, withdraws_former: bool = False) -> None:
        """Let a version answer from now on.

        Raises
        ------
        CorruptIndex
            If the record of earlier publications is damaged.
        Conflict
            If somebody else published meanwhile. Their version answers.
        """
        seen = {name: etag_of(self._blobs, CEPSTRA, name) for name in (_PAST, _PUBLISHED)}
        past = self.history()
        former = past[-1].version if past else None
        publication = Publication(version, datetime.now(UTC), by, former, withdraws_former)
        written = {_PAST: [former.record() for former in past], _PUBLISHED: publication.record()}
        try:
            for name, record in written.items():
                replace_json(self._blobs, CEPSTRA, name, record, seen=seen[name])
        except Conflict as error:
            raise Conflict(
                "somebody else published meanwhile",
                subject=f"index {version}",
                remedy="Check which version answers now, and publish this one again if it should answer",
            ) from error

    def stored(self) -> list[StoredVersion]:
        """Return every version with a readable description, in the order in which they were built."""
        names = [name for blob in self._blobs.list(CEPSTRA, _FOLDER) if (name := blob.name).endswith("/index.json")]
        found = [version for name in names if (version := self._described(name)) is not None]
        return sorted(found, key=lambda version: (version.built_at, version.version))

    def exists(self, version: str) -> bool:
        """Return whether a version is stored."""
        return self._blobs.exists(CEPSTRA, f"{_FOLDER}{version}/index.json")

    def delete(self, version: str) -> None:
        """Delete all files of a version, if there are any."""
        names = [blob.name for blob in self._blobs.list(CEPSTRA, f"{_FOLDER}{version}/")]
        # The description is deleted last: if this process is killed, the rest is still listed and pruned later.
        for name in sorted(names, key=lambda name: name.endswith("/index.json")):
            self._blobs.delete(CEPSTRA, name)

    def _described(self, name: str) -> StoredVersion | None:
        def parse(record: dict[str, Any]) -> StoredVersion:
            return StoredVersion(
                version=name.split("/")[-2],
                built_at=datetime.fromisoformat(record["created_at"]),
                tracks=int(record["tracks"]),
                ranking=str(record["parameters"]["ranking"]),
                features_version=str(record["features_version"]),
            )

        try:
            return read_json(self._blobs, CEPSTRA, name, parse, damaged="it describes no index", remedy="Prune it")
        except CorruptIndex:
            return None

    def _pointer(self, name: str, parse: Callable[[Any], _Record]) -> _Record | None:
        return read_json(
            self._blobs,
            CEPSTRA,
            name,
            parse,
            damaged="the pointer names no index",
            remedy="Delete that blob. Materialise the library again",
        )
