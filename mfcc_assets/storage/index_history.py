"""The stored versions of the index, the one that answers now, and the ones that answered before.

indexes/<version>/index.json   description of a version: the last file of a version that is written
indexes/built.json             pointer to the version that was built last
indexes/published.json         pointer to the version that answers: the present publication
indexes/publications.json      all publications, oldest first, with the present one at the end

Each of the last two can be restored from the other. Older versions of this package wrote publications.json without the
present publication. Its pointer is restored from the rows of RECOMMENDATIONS.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from mfcc_assets.errors import Conflict, CorruptIndex
from mfcc_assets.storage.blobs.json_blobs import etag_of, read_json, replace_json, write_json
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore
from mfcc_assets.storage.index_parts import DESCRIPTION, part_name

BY_RUN, BY_HAND, ROLLBACK = "run", "hand", "rollback"
_FOLDER = "indexes/"
_PUBLISHED = "indexes/published.json"
_PAST = "indexes/publications.json"
_BUILT = "indexes/built.json"
_RUN = "The next run over the library repairs it: `mfcc sync` starts one"
_WRITTEN_LATER = {"attachments", "candidates", "quality.json", "rankings"}
_Record = TypeVar("_Record")
_logger = logging.getLogger(__name__)


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
    """Reads and writes the pointers to versions of the index and the history of publications.

    A damaged pointer or history is restored from what else is known, with a warning. `repair` writes it again.

    Parameters
    ----------
    blobs
        Store that holds the versions.
    recommended_by
        Function that returns the versions of the index that the stored recommendations come from, the most frequent
        one first. It is called only if the pointer is damaged and the history does not tell.
    """

    def __init__(self, blobs: BlobStore, recommended_by: Callable[[], Sequence[str]] = lambda: ()) -> None:
        self._blobs, self._recommended_by = blobs, recommended_by

    def published(self) -> Publication | None:
        """Return the present publication; None before the first one.

        Raises
        ------
        CorruptIndex
            If the pointer is damaged or lost, and nothing else tells which version answers.
        """
        history = self.history()
        return history[-1] if history else None

    def built(self) -> str | None:
        """Return the version that was built last; None before the first one.

        Raises
        ------
        CorruptIndex
            If the pointer is damaged.
        """
        return self._record(_BUILT, lambda record: str(record["version"]))

    def set_built(self, version: str) -> None:
        """Store the version that was built last."""
        write_json(self._blobs, CEPSTRA, _BUILT, {"version": version})

    def history(self) -> list[Publication]:
        """Return all publications, oldest first. The last one is the present one.

        Raises
        ------
        CorruptIndex
            If the pointer is damaged or lost, and nothing else tells which version answers.
        """
        history, faults = self._restored()
        for fault in faults:
            _logger.warning("%s", fault)
        return history

    def faults(self) -> list[str]:
        """Return a sentence for the pointer and for the history if it is damaged. `repair` writes both again.

        Raises
        ------
        CorruptIndex
            If the pointer is damaged or lost, and nothing else tells which version answers.
        """
        return [str(fault) for fault in self._restored()[1]]

    def repair(self) -> list[str]:
        """Write a damaged pointer and a damaged history again, and return a sentence for each.

        If nothing tells which version answers, both are deleted, as before the first publication.
        """
        seen = self._etags()
        try:
            history, faults = self._restored()
        except CorruptIndex as error:
            for name in (_PUBLISHED, _PAST):
                self._blobs.delete(CEPSTRA, name)
            return [str(error)]
        if faults:
            self._write(history, seen)
        return [str(fault) for fault in faults]

    def publish(self, version: str, *, by: str = BY_RUN, withdraws_former: bool = False) -> None:
        """Let a version answer from now on.

        Raises
        ------
        Conflict
            If somebody else published meanwhile. Their version answers.
        """
        seen = self._etags()
        try:
            past = self.history()
        except CorruptIndex as error:
            _logger.warning("Nobody knows which index answered before. %s", error)
            past = []
        former = past[-1].version if past else None
        publication = Publication(version, datetime.now(UTC), by, former, withdraws_former)
        try:
            self._write([*past, publication], seen)
        except Conflict as error:
            raise Conflict(
                "somebody else published meanwhile",
                subject=f"index {version}",
                remedy="Check which version answers now, and publish this one again if it should answer",
            ) from error

    def _etags(self) -> dict[str, str | None]:
        return {name: etag_of(self._blobs, CEPSTRA, name) for name in (_PAST, _PUBLISHED)}

    def _write(self, history: Sequence[Publication], seen: dict[str, str | None]) -> None:
        records = [publication.record() for publication in history]
        if set(seen.values()) == {None}:
            # A history without a pointer would look as if the pointer of a publication were lost.
            replace_json(self._blobs, CEPSTRA, _PUBLISHED, records[-1], seen=None)
            with suppress(Conflict):  # the next publisher has written it, with this publication
                replace_json(self._blobs, CEPSTRA, _PAST, {"publications": records}, seen=None)
            return
        # The pointer is written last, and decides which version answers.
        replace_json(self._blobs, CEPSTRA, _PAST, {"publications": records}, seen=seen[_PAST])
        replace_json(self._blobs, CEPSTRA, _PUBLISHED, records[-1], seen=seen[_PUBLISHED])

    def _restored(self) -> tuple[list[Publication], list[CorruptIndex]]:
        """Return the history that ends with the present publication, and an error for each damaged file."""
        faults: list[CorruptIndex] = []
        stored = self._record_or_fault(_PAST, _parsed_history, faults)
        present = self._record_or_fault(_PUBLISHED, Publication.parse, faults)
        if stored is None and present is None and not faults:
            return [], []
        past, is_complete = stored or ([], False)
        if present is None:
            if not faults:
                faults.append(CorruptIndex("the pointer is lost", subject=f"{CEPSTRA}/{_PUBLISHED}", remedy=_RUN))
            present = self._likely_publication(past, is_complete=is_complete)
        if present is None:
            raise faults[-1]
        if stored is None and present.former is not None:
            past = [self._publication_of(present.former)]
        return [*_before(present, past), present], faults

    def _likely_publication(self, past: Sequence[Publication], *, is_complete: bool) -> Publication | None:
        """Return the publication that a damaged pointer probably held."""
        if is_complete and past:
            return past[-1]
        for version in self._recommended_by():
            if self.exists(version):
                former = past[-1].version if past else None
                return replace(self._publication_of(version), former=former)
        return past[-1] if past else None

    def _publication_of(self, version: str) -> Publication:
        """Return a publication of a version of which nothing else is known. It cannot be older than the version."""
        description = self._described(version)
        return Publication(version, description.built_at if description else datetime.fromtimestamp(0, UTC))

    def stored(self) -> list[StoredVersion]:
        """Return every version with a readable description, in the order in which they were built."""
        names = [blob.name.removeprefix(_FOLDER) for blob in self._blobs.list(CEPSTRA, _FOLDER)]
        versions = [name.removesuffix(f"/{DESCRIPTION}") for name in names if name.endswith(f"/{DESCRIPTION}")]
        found = [described for version in versions if (described := self._described(version)) is not None]
        return sorted(found, key=lambda version: (version.built_at, version.version))

    def damaged(self) -> list[str]:
        """Return every stored version whose description cannot be read or is lost.

        A version without a description may also be one that is just being written. So it only counts as damaged if it
        has been used: if it has a file that is written after the description, or was built or published.
        """
        files: dict[str, set[str]] = {}
        for blob in self._blobs.list(CEPSTRA, _FOLDER):
            version, _, file = blob.name.removeprefix(_FOLDER).partition("/")
            files.setdefault(version, set()).add(file.partition("/")[0])
        undescribed = {version for version, names in files.items() if DESCRIPTION not in names}
        used = {version for version in undescribed if files[version] & _WRITTEN_LATER} | (undescribed & self._known())
        unreadable = {version for version in files.keys() - undescribed if self._described(version) is None}
        return sorted(used | unreadable)

    def _known(self) -> set[str]:
        """Return the versions that a pointer or the history names, as far as they can be read."""
        found: set[str | None] = set()
        with suppress(CorruptIndex):
            found.add(self.built())
        with suppress(CorruptIndex):
            found.update(publication.version for publication in self._restored()[0])
        return {version for version in found if version is not None}

    def exists(self, version: str) -> bool:
        """Return whether a version is stored."""
        return self._blobs.exists(CEPSTRA, part_name(version, DESCRIPTION))

    def delete(self, version: str) -> None:
        """Delete all files of a version, if there are any."""
        names = [blob.name for blob in self._blobs.list(CEPSTRA, f"{_FOLDER}{version}/")]
        # The description is deleted last: if this process is killed, the rest is still listed and pruned later.
        for name in sorted(names, key=lambda name: name.endswith(f"/{DESCRIPTION}")):
            self._blobs.delete(CEPSTRA, name)

    def _described(self, version: str) -> StoredVersion | None:
        def parse(record: dict[str, Any]) -> StoredVersion:
            return StoredVersion(
                version=version,
                built_at=datetime.fromisoformat(record["created_at"]),
                tracks=int(record["tracks"]),
                ranking=str(record["parameters"]["ranking"]),
                features_version=str(record["features_version"]),
            )

        try:
            return read_json(
                self._blobs,
                CEPSTRA,
                part_name(version, DESCRIPTION),
                parse,
                damaged="it describes no index",
                remedy=_RUN,
            )
        except CorruptIndex:
            return None

    def _record_or_fault(
        self, name: str, parse: Callable[[Any], _Record], faults: list[CorruptIndex]
    ) -> _Record | None:
        try:
            return self._record(name, parse)
        except CorruptIndex as error:
            faults.append(error)
            return None

    def _record(self, name: str, parse: Callable[[Any], _Record]) -> _Record | None:
        return read_json(self._blobs, CEPSTRA, name, parse, damaged="it is not what was written", remedy=_RUN)


def _before(present: Publication, past: Sequence[Publication]) -> Sequence[Publication]:
    """Return the publications before the present one.

    A process that was killed, or was slower than another, may have written publications that never took effect.
    """
    if present in past:
        return past[: past.index(present)]
    of_former = [number for number, one in enumerate(past) if one.version == present.former]
    return past[: of_former[-1] + 1] if of_former else past


def _parsed_history(record: Any) -> tuple[list[Publication], bool]:
    """Return the stored publications, and whether the present one is among them."""
    is_complete = isinstance(record, dict)
    records = record["publications"] if is_complete else record
    return [Publication.parse(one) for one in records], is_complete
