"""Observe the soundtracks: bring the catalogue's rows and the artworks up to date with the files of the container."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from textwrap import shorten

from mfcc_assets.audio.artwork import PICTURE_SUFFIXES, Picture, generated_cover
from mfcc_assets.audio.outside import inspect
from mfcc_assets.audio.tags import Tags, title_from_name
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import BlobNotFound
from mfcc_assets.ids import NO_CONTENT, content_digest, digest_of_file, shard_of, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.music_files import NO_AUDIO, Difference, container_files, difference, is_worth_trying
from mfcc_assets.pipeline.progress import Report, Tally, unseen
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.port import Blob
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
    """

    difference: Difference
    skipped: dict[str, list[str]]


def observe_soundtracks(
    library: Library, shards: Sequence[str], *, run_id: str, report_progress: Report = unseen
) -> Observation:
    """Bring the catalogue's rows of these shards up to date with the container `soundtracks`.

    Only new and changed files are read, and those that were copied or touched since they were observed, because some
    programs write tags into a file that keeps its size and its time. All rows and the artwork of a soundtrack that is
    gone are deleted. A file without audio is skipped, unless its suffix says that it has audio: such a file is damaged,
    and becomes a reject.

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
    digits = library.settings.shard_digits
    wanted = set(shards)
    files = container_files(library)
    listing = {name: blob.etag for name, blob in files.music.items() if shard_of(track_id(name), digits) in wanted}
    found = difference(listing, library.catalogue.manifest(shards))
    touched = _touched(library, shards, [files.music[name] for name in found.unchanged])
    compared = on_all_cores(lambda name: _is_replaced(library, name, touched[name]), list(touched))
    replaced = {name for name, is_replaced in compared if is_replaced}
    library.catalogue.confirm_observed([name for name in touched if name not in replaced])
    found = replace(
        found,
        changed=tuple(sorted({*found.changed, *replaced})),
        unchanged=tuple(name for name in found.unchanged if name not in replaced),
    )

    for name in (*found.gone, *found.changed):
        for suffix in PICTURE_SUFFIXES:
            library.blobs.delete("artworks", track_id(name) + suffix)
    library.catalogue.record_observed([], found.gone, shard_digits=digits, run_id=run_id)

    observed: list[Observed] = []
    without_audio: list[SkippedFile] = []
    unread = [*found.new, *found.changed]
    tally = Tally(report_progress, "Reading tags", len(unread), first=next(iter(unread), ""))

    def observe(name: str) -> Observed | SkippedFile | None:
        tally.begin(name)
        return _observed(library, name)

    for name, file in on_all_cores(observe, unread):
        tally.end(name)
        if isinstance(file, SkippedFile):
            without_audio.append(file)
        elif file is not None:
            observed.append(file)
        if len(observed) == FILES_PER_TRANSACTION:
            library.catalogue.record_observed(observed, [], shard_digits=digits, run_id=run_id)
            observed = []
    library.catalogue.record_observed(observed, [], shard_digits=digits, run_id=run_id)
    library.catalogue.record_skipped(without_audio, shard_digits=digits)
    skipped = files.skipped
    for file in library.catalogue.skipped_files():
        skipped.setdefault(file.kind, []).append(file.blob_name)
    no_music = {name for names in skipped.values() for name in names}
    groups = {kind: tuple(name for name in names if name not in no_music) for kind, names in vars(found).items()}
    return Observation(Difference(**groups), skipped)


def _touched(library: Library, shards: Sequence[str], unchanged: Sequence[Blob]) -> dict[str, str]:
    """Return the content digest of each file that has the version of its last observation, and was touched since."""
    known = library.catalogue.observations(shards)
    return {
        blob.name: known[blob.name][0]
        for blob in unchanged
        if blob.name in known and blob.modified > known[blob.name][1] - _SEEN_LATER
    }


def _is_replaced(library: Library, name: str, digest: str) -> bool:
    """Return True if a file has other bytes than those that were observed. A file that cannot be read has not."""
    try:
        with library.blobs.as_file("soundtracks", name) as path, path.open("rb") as file:
            return content_digest(file) != digest
    except (BlobNotFound, FileNotFoundError, PermissionError):
        return False


def _observed(library: Library, name: str) -> Observed | SkippedFile | None:
    try:
        # The version is read before the bytes. If the file changes in between, the next observation sees the change.
        blob = library.blobs.stat("soundtracks", name)
        with library.blobs.as_file("soundtracks", name) as path:
            if not _is_music(path, name):
                return SkippedFile(name, blob.etag, NO_AUDIO)
            digest, tags, picture = _inspected(path)
    except (BlobNotFound, FileNotFoundError):
        return None  # The file went after it was listed, and the next observation finds it gone.
    title = tags.title or shown_name(title_from_name(name))
    tags = replace(tags, title=title, artist=tags.artist or tags.album_artist)
    picture = picture or generated_cover(track_id(name), tags.title, tags.artist)
    artwork = track_id(name) + picture.suffix
    library.blobs.write("artworks", artwork, picture.data)
    return Observed(blob_name=name, etag=blob.etag, bytes=blob.size, content_digest=digest, tags=tags, artwork=artwork)


def _is_music(path: Path, name: str) -> bool:
    try:
        return is_worth_trying(path, name)
    except PermissionError:
        return True  # The analysis rejects the file and says why.


def _inspected(path: Path) -> tuple[str, Tags, Picture | None]:
    try:
        digest = digest_of_file(path)
        inspection = inspect(path)
    except PermissionError:
        return NO_CONTENT, Tags(), None  # The analysis rejects the file and says why.
    note = shorten("; ".join(filter(None, (inspection.tags.note, *inspection.remarks))), LONGEST_NOTE, placeholder=" …")
    return digest, replace(inspection.tags, note=note), inspection.picture
