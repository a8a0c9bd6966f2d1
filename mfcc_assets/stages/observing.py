"""From the files in `soundtracks` to rows of SOUNDTRACKS: digests, tags and artwork, without decoding."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.core.artwork import PICTURE_SUFFIXES, Picture, embedded_picture, generated_cover
from mfcc_assets.core.catalogue import NO_CONTENT, Difference, content_digest, difference, shard_of, track_id
from mfcc_assets.core.errors import BlobNotFound
from mfcc_assets.core.tags import Tags, read_tags, title_from_name
from mfcc_assets.library import Library
from mfcc_assets.stores.records import Observed

FILES_A_TRANSACTION = 200
"""A killed run observes at most so many files again."""


def observe_soundtracks(library: Library, shards: Sequence[str], *, run_id: str) -> Difference:
    """Bring the catalogue's rows of these shards up to date with the container.

    Only files that are new or changed are read. Of a soundtrack that is gone, every row goes, and its artwork.
    """
    digits = library.settings.shard_digits
    wanted = set(shards)
    files = library.soundtrack_files()
    listing = {name: blob.etag for name, blob in files.items() if shard_of(track_id(name), digits) in wanted}
    found = difference(listing, library.tables.manifest(shards))

    for name in (*found.gone, *found.changed):
        for suffix in PICTURE_SUFFIXES:
            library.blobs.delete("artworks", track_id(name) + suffix)
    library.tables.record_observed([], found.gone, shard_digits=digits, run_id=run_id)

    observed: list[Observed] = []
    for _, file in on_all_cores(lambda name: _observed(library, name), [*found.new, *found.changed]):
        if file is not None:
            observed.append(file)
        if len(observed) == FILES_A_TRANSACTION:
            library.tables.record_observed(observed, [], shard_digits=digits, run_id=run_id)
            observed = []
    library.tables.record_observed(observed, [], shard_digits=digits, run_id=run_id)
    return found


def _observed(library: Library, name: str) -> Observed | None:
    try:
        # The version is taken before the bytes are read: a file that changes meanwhile is seen as changed next time.
        blob = library.blobs.stat("soundtracks", name)
        with library.blobs.as_file("soundtracks", name) as path:
            digest, tags, picture = _inspected(path)
    except (BlobNotFound, FileNotFoundError):
        return None  # it went after it was listed, and is found gone next time
    tags = replace(tags, title=tags.title or title_from_name(name))
    picture = picture or generated_cover(track_id(name), tags.title, tags.artist)
    artwork = track_id(name) + picture.suffix
    library.blobs.write("artworks", artwork, picture.data)
    return Observed(blob_name=name, etag=blob.etag, bytes=blob.size, content_digest=digest, tags=tags, artwork=artwork)


def _inspected(path: Path) -> tuple[str, Tags, Picture | None]:
    try:
        with path.open("rb") as file:
            digest = content_digest(file)
        return digest, read_tags(path), embedded_picture(path)
    except PermissionError:
        return NO_CONTENT, Tags(), None  # whoever analyses the file says why it cannot be used
