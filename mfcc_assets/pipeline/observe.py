"""Observe the soundtracks: bring the catalogue's rows and the artworks up to date with the files of the container."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from textwrap import shorten

from mfcc_assets.audio.artwork import Picture, generated_cover
from mfcc_assets.audio.outside import inspect
from mfcc_assets.audio.tags import Tags, title_from_name
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import BlobNotFound
from mfcc_assets.ids import (
    NO_CONTENT,
    TrackId,
    digest_of_file,
    free_track_id,
    is_unread,
    shard_of,
    track_id,
    unread_digest,
)
from mfcc_assets.library import Library
from mfcc_assets.music_names import GONE_SINCE_REPORT, NO_AUDIO
from mfcc_assets.pipeline.artworks import artwork_name, artworks_by_track, check_artworks, record_checked_artworks
from mfcc_assets.pipeline.away import sentences_on_away
from mfcc_assets.pipeline.identities import renamed_files
from mfcc_assets.pipeline.missing import missing_soundtracks, remember_disks
from mfcc_assets.pipeline.music_files import Difference, container_files, is_worth_trying, skipped_files
from mfcc_assets.pipeline.progress import Report, Tally, unseen
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.port import ARTWORKS, SOUNDTRACKS
from mfcc_assets.storage.sql.records import Observed, SkippedFile
from mfcc_assets.storage.sql.schema import LONGEST_NOTE

FILES_PER_TRANSACTION = 200
"""Number of files that are recorded together, and observed again if a run is killed before they are recorded."""

_SEEN_LATER = timedelta(minutes=1)
"""Longest time between the reading of a file and the time that is stored for it."""


@dataclass(frozen=True)
class Observation:
    """The files of the container `soundtracks`.

    Attributes
    ----------
    difference
        The changes since the soundtracks were last observed, without files that are no music.
    skipped
        Names of all files and folders that are no music, by kind.
    track_ids
        Id of the soundtrack of each name in the difference.
    former_names
        Former name of each renamed file, by its present name.
    away
        Sentences on folders that are away.
    repairs
        Sentences on artworks that were damaged or missing, and were read from their soundtracks again.
    """

    difference: Difference
    skipped: dict[str, list[str]]
    track_ids: dict[str, TrackId]
    former_names: dict[str, str]
    away: list[str]
    repairs: list[str]


def observe_soundtracks(
    library: Library, shards: Sequence[str], *, run_id: str, report_progress: Report = unseen
) -> Observation:
    """Bring the catalogue's rows of these shards up to date with the container `soundtracks`.

    Only the tags of new and changed files are read. The analysis reads their bytes, and computes their digest while it
    has them. Only files that may be renamed ones are read whole, and those that were copied or touched since they were
    observed, because some programs write tags into a file that keeps its size and its time. The tags of a file whose
    artwork is damaged are read again too.
    All rows and the artwork of a soundtrack that is gone are deleted. A soundtrack that is away stays, also one that
    `mfcc_assets.pipeline.missing` finds missing. A file that was renamed or moved stays the same soundtrack: see
    `mfcc_assets.pipeline.identities.renamed_files`. A file without audio is skipped, unless its suffix says that it has
    audio: such a file is damaged, and becomes a reject.

    Parameters
    ----------
    library
        The library.
    shards
        Shards whose soundtracks are observed.
    run_id
        Id of the run, which is stored in the rows.
    report_progress
        Function that shows the progress.

    Returns
    -------
    Observation
        What was found.

    Raises
    ------
    StoreError
        If the file of the database is damaged.
    """
    library.database.check()
    if library.settings.profile == "local":
        library.music_folders.remember()
    observing = _Observing(library, shards, run_id)
    observing.forget_what_is_gone()
    observing.read_changes(report_progress)
    return observing.result()


class _Observing:
    """One look at the container, and what is recorded of it."""

    def __init__(self, library: Library, shards: Sequence[str], run_id: str) -> None:
        self._library, self._run_id = library, run_id
        self._digits = library.settings.shard_digits
        self._wanted = set(shards)
        self._files = container_files(library)
        self._known = library.catalogue.known_files()
        found = self._files.difference(library.catalogue.manifest(library.shards))
        replaced = self._replaced(found.unchanged)
        changed = (*found.changed, *replaced)
        renamed = renamed_files(library, self._files.music, self._known, replace(found, changed=changed))
        self._former, self._digests = renamed.former, renamed.digests
        if self._former:
            # The shards of two soundtracks that exchange a name differ, and no name may belong to both.
            self._wanted = set(library.shards)
        moved = {*self._former.values()}
        # Only now is it known which soundtracks are neither there nor renamed.
        missing = missing_soundtracks(library, [name for name in found.gone if name not in moved])
        self._files = replace(self._files, missing=missing)
        found = replace(
            found,
            gone=tuple(name for name in found.gone if not self._files.is_away(name)),
            unchanged=(*found.unchanged, *(name for each in missing for name in each.names)),
        )
        # The soundtrack whose file was overwritten by a renamed one is gone, although its name is not.
        self._overwritten = [name for name in self._former if name in self._known and name not in moved]
        self._ids = self._ids_of_names((*found.new, *changed))
        self._found = Difference(
            new=self._in_shards(name for name in found.new if name not in self._former),
            changed=self._in_shards(name for name in changed if name not in self._former),
            gone=self._in_shards(name for name in found.gone if name not in moved),
            unchanged=self._in_shards(name for name in found.unchanged if name not in replaced),
            renamed=self._in_shards(self._former),
        )
        self._artworks = artworks_by_track(library)
        intact = {self._known[name].track_id: name for name in self._found.unchanged if self._may_be_read(name)}
        self._checked = check_artworks(library, self._artworks, intact)
        self._with_artwork_anew = sorted(intact[track] for track in self._checked.to_read)
        for name in self._with_artwork_anew:
            self._digests[name, self._files.music[name].etag] = self._known[name].content_digest
        self._ids |= {name: self._known[name].track_id for name in self._with_artwork_anew}
        self._repairs = [
            f"{fault} (that of {intact[track]}). This run reads it from the soundtrack again."
            for track, fault in sorted(self._checked.faults.items())
        ]

    def forget_what_is_gone(self) -> None:
        """Delete the rows of soundtracks that are gone, and pictures that are not of the present file any more."""
        catalogue, known = self._library.catalogue, self._known
        gone = [known[name].track_id for name in (*self._found.gone, *self._overwritten) if name in known]
        again = [
            self._ids[name]
            for name in (*self._found.new, *self._found.changed, *self._found.renamed, *self._with_artwork_anew)
        ]
        for repair in self._repairs:
            self._library.repairs.record(repair)
        for track in (*gone, *again):
            for blob in self._artworks.get(track, ()):
                self._library.blobs.delete(ARTWORKS, blob.name)
        catalogue.record_observed([], gone, shard_digits=self._digits, run_id=self._run_id)
        catalogue.forget_skipped([name for name in self._found.gone if name not in known])

    def read_changes(self, report_progress: Report) -> None:
        """Read new, changed and renamed files, and record them."""
        # If two files exchanged their names, no moment may come at which one name belongs to both.
        held = {*self._former.values()}
        exchanged = [name for name in self._found.renamed if name in held]
        renamed = [name for name in self._found.renamed if name not in held]
        others = [*self._found.new, *self._found.changed, *self._with_artwork_anew]
        unread = [*renamed, *exchanged, *others]
        tally = Tally(report_progress, "Reading tags", len(unread), first=next(iter(unread), ""))
        self._read(renamed, FILES_PER_TRANSACTION, tally)
        self._read(exchanged, len(exchanged) + 1, tally)
        without_audio = self._read(others, FILES_PER_TRANSACTION, tally)
        self._library.catalogue.record_skipped(without_audio, shard_digits=self._digits)
        record_checked_artworks(self._library, self._checked)

    def result(self) -> Observation:
        """Return what was found, without files that are no music."""
        skipped = skipped_files(self._library, self._files)
        no_music = {name for names in skipped.values() for name in names}
        groups = vars(self._found).items()
        found = Difference(**{kind: tuple(name for name in names if name not in no_music) for kind, names in groups})
        ids = {name: self._id(name) for name in found.outcomes}
        former = {name: self._former[name] for name in found.renamed}
        remember_disks(self._library, self._files)
        return Observation(found, skipped, ids, former, sentences_on_away(self._library, self._files), self._repairs)

    def _read(self, names: Sequence[str], per_transaction: int, tally: Tally) -> list[SkippedFile]:
        record = partial(self._library.catalogue.record_observed, shard_digits=self._digits, run_id=self._run_id)
        observed: list[Observed] = []
        without_audio: list[SkippedFile] = []

        def observe(name: str) -> Observed | SkippedFile | None:
            tally.begin(name)
            return self._observed(name)

        for name, file in on_all_cores(observe, names):
            tally.end(name)
            if isinstance(file, SkippedFile):
                without_audio.append(file)
            elif file is not None:
                observed.append(file)
            if len(observed) == per_transaction:
                record(observed, [])
                observed = []
        record(observed, [])
        return without_audio

    def _ids_of_names(self, names: Iterable[str]) -> dict[str, TrackId]:
        """Return the id of the soundtrack of each new, changed or renamed file."""
        ids = {name: self._known[former].track_id for name, former in self._former.items()}
        taken = {file.track_id for file in self._known.values()}
        moved = {*self._former.values()}
        for name in names:
            if name in self._known and name not in moved:
                ids.setdefault(name, self._known[name].track_id)
            elif name not in ids:
                ids[name] = free_track_id(name, taken)
                taken.add(ids[name])
        return ids

    def _id(self, name: str) -> TrackId:
        """Return the id of the soundtrack of a name, or the key of a file that is no music."""
        if name in self._ids:
            return self._ids[name]
        return self._known[name].track_id if name in self._known else track_id(name)

    def _may_be_read(self, name: str) -> bool:
        """Return True if a file of a soundtrack is there."""
        return name in self._known and name in self._files.music

    def _in_shards(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the names whose soundtracks are observed now, sorted."""
        return tuple(sorted(name for name in names if shard_of(self._id(name), self._digits) in self._wanted))

    def _replaced(self, unchanged: Sequence[str]) -> set[str]:
        """Return the names of files that have the version of their last observation, and yet other bytes."""
        known, touched, replaced = self._known, [], set()
        if self._library.settings.profile != "local":
            return set()  # there, every write changes the ETag
        for name in unchanged:
            blob, file = self._files.music.get(name), known.get(name)
            if blob is None or file is None or shard_of(file.track_id, self._digits) not in self._wanted:
                continue
            if is_unread(file.content_digest):
                if file.content_digest != unread_digest(name, blob.etag, blob.modified):
                    replaced.add(name)  # nobody knows which bytes its tags were read from
            elif blob.modified > file.observed_at - _SEEN_LATER:
                touched.append(name)
        replaced |= {name for name, is_replaced in on_all_cores(self._is_replaced, touched) if is_replaced}
        self._library.catalogue.confirm_observed([known[name].track_id for name in touched if name not in replaced])
        return replaced

    def _is_replaced(self, name: str) -> bool:
        """Return True if a file has other bytes than those that were observed. If it cannot be read, it has not."""
        try:
            with self._library.blobs.as_file(SOUNDTRACKS, name) as path:
                return digest_of_file(path) != self._known[name].content_digest
        except (BlobNotFound, FileNotFoundError, PermissionError):
            return False

    def _observed(self, name: str) -> Observed | SkippedFile | None:
        blobs, track = self._library.blobs, self._ids[name]
        # The version was listed before the bytes are read. If the file has changed since, the next observation sees it.
        listed = self._files.music[name]
        is_reported = self._files.reported_at is not None
        try:
            # A report is many hours old. The next one has the version that is there now.
            blob = blobs.stat(SOUNDTRACKS, name) if is_reported else listed
            with blobs.as_file(SOUNDTRACKS, name) as path:
                if not _is_music(path, name):
                    return SkippedFile(name, listed.etag, NO_AUDIO)
                unread = unread_digest(name, blob.etag, blob.modified)
                digest, tags, picture = _inspected(path, self._digests.get((name, blob.etag), unread))
        except (BlobNotFound, FileNotFoundError):
            # The file went after it was listed, and the next observation finds it gone. It is not looked for at every
            # observation until there is another report.
            return SkippedFile(name, listed.etag, GONE_SINCE_REPORT) if is_reported else None
        title = tags.title or shown_name(title_from_name(name))
        tags = replace(tags, title=title, artist=tags.artist or tags.album_artist)
        picture = picture or generated_cover(track, tags.title, tags.artist)
        artwork = artwork_name(track, picture)
        blobs.write(ARTWORKS, artwork, picture.data)
        return Observed(
            blob_name=name,
            etag=blob.etag,
            bytes=blob.size,
            content_digest=digest,
            tags=tags,
            artwork=artwork,
            known_as=track,
        )


def _is_music(path: Path, name: str) -> bool:
    try:
        return is_worth_trying(path, name)
    except PermissionError:
        return True  # The analysis rejects the file and says why.


def _inspected(path: Path, digest: str) -> tuple[str, Tags, Picture | None]:
    try:
        inspection = inspect(path)
    except PermissionError:
        return NO_CONTENT, Tags(), None  # The analysis rejects the file and says why.
    note = shorten("; ".join(filter(None, (inspection.tags.note, *inspection.remarks))), LONGEST_NOTE, placeholder=" …")
    return digest, replace(inspection.tags, note=note), inspection.picture
