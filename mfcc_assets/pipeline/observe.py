"""Observe the soundtracks: bring the catalogue's rows and the artworks up to date with the files of the container."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mfcc_assets.audio.artwork import PICTURE_SUFFIXES, Picture, generated_cover
from mfcc_assets.audio.outside import inspect
from mfcc_assets.audio.tags import Tags, title_from_name
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import BlobNotFound
from mfcc_assets.ids import NO_CONTENT, content_digest, shard_of, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.music_files import Difference, difference, soundtrack_files
from mfcc_assets.storage.sql.records import Observed

FILES_PER_TRANSACTION = 200
"""Number of files that are recorded together, and observed again if a run is killed before they are recorded."""


def observe_soundtracks(library: Library, shards: Sequence[str], *, run_id: str) -> Difference:
    """Bring the catalogue's rows of these shards up to date with the container `soundtracks`.

    Only new and changed files are read. All rows and the artwork of a soundtrack that is gone are deleted.

    Parameters
    ----------
    library
        The library.
    shards
        Shards whose soundtracks are observed.
    run_id
        Id of the run, which is stored in the rows.

    Returns
    -------
    Difference
        The changes since the soundtracks were last observed.
    """
    digits = library.settings.shard_digits
    wanted = set(shards)
    files = soundtrack_files(library)
    listing = {name: blob.etag for name, blob in files.items() if shard_of(track_id(name), digits) in wanted}
    found = difference(listing, library.catalogue.manifest(shards))

    for name in (*found.gone, *found.changed):
        for suffix in PICTURE_SUFFIXES:
            library.blobs.delete("artworks", track_id(name) + suffix)
    library.catalogue.record_observed([], found.gone, shard_digits=digits, run_id=run_id)

    observed: list[Observed] = []
    for _, file in on_all_cores(lambda name: _observed(library, name), [*found.new, *found.changed]):
        if file is not None:
            observed.append(file)
        if len(observed) == FILES_PER_TRANSACTION:
            library.catalogue.record_observed(observed, [], shard_digits=digits, run_id=run_id)
            observed = []
    library.catalogue.record_observed(observed, [], shard_digits=digits, run_id=run_id)
    return found


def _observed(library: Library, name: str) -> Observed | None:
    try:
        # The version is read before the bytes. If the file changes in between, the next observation sees the change.
        blob = library.blobs.stat("soundtracks", name)
        with library.blobs.as_file("soundtracks", name) as path:
            digest, tags, picture = _inspected(path)
    except (BlobNotFound, FileNotFoundError):
        return None  # The file went after it was listed, and the next observation finds it gone.
    tags = replace(tags, title=tags.title or title_from_name(name))
    picture = picture or generated_cover(track_id(name), tags.title, tags.artist)
    artwork = track_id(name) + picture.suffix
    library.blobs.write("artworks", artwork, picture.data)
    return Observed(blob_name=name, etag=blob.etag, bytes=blob.size, content_digest=digest, tags=tags, artwork=artwork)


def _inspected(path: Path) -> tuple[str, Tags, Picture | None]:
    try:
        with path.open("rb") as file:
            digest = content_digest(file)
        inspection = inspect(path)
    except PermissionError:
        return NO_CONTENT, Tags(), None  # The analysis rejects the file and says why.
    return digest, inspection.tags, inspection.picture
