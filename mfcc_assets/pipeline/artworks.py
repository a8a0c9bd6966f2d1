"""The artworks in their container: how they are called, and which are damaged or missing.

<track id>.<digest of the picture>.<suffix>        older versions left out the digest
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mfcc_assets.audio.artwork import Picture
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import BlobNotFound
from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.port import ARTWORKS, Blob
from mfcc_assets.storage.last_check import CHECKED_IN_TURN, LastCheck, read_last_check, write_last_check

_DIGEST_BYTES = 8
_READ_WITHOUT_DIGEST = 500
"""Number of artworks of an older version that each run reads from their soundtracks again, to store their digests."""


@dataclass(frozen=True)
class ArtworkCheck:
    """What a check of artworks found.

    Attributes
    ----------
    to_read
        The tracks whose artwork is to be read from the soundtrack again.
    faults
        A sentence on the artwork of each of these tracks that is damaged or missing.
    done
        How far the artworks were checked, for `record_checked_artworks`.
    """

    to_read: list[TrackId]
    faults: dict[TrackId, str]
    done: LastCheck


def artwork_name(track: TrackId, picture: Picture) -> str:
    """Return the name of the blob that holds the artwork of a track.

    Examples
    --------
    >>> artwork_name(TrackId("28ff32e22751aab5"), Picture(b"a picture", "image/png"))
    '28ff32e22751aab5.250d5b9b38e1b996.png'
    """
    return f"{track}.{_digest(picture.data)}{picture.suffix}"


def artworks_by_track(library: Library) -> dict[TrackId, list[Blob]]:
    """Return the stored artworks of each track id."""
    found: dict[TrackId, list[Blob]] = {}
    for blob in library.blobs.list(ARTWORKS):
        found.setdefault(_track_of(blob), []).append(blob)
    return found


def check_artworks(
    library: Library, stored: Mapping[TrackId, Sequence[Blob]], tracks: Collection[TrackId]
) -> ArtworkCheck:
    """Find the artworks of these tracks that a run reads from the soundtracks again.

    A missing artwork is found at once, and a damaged one as `mfcc_assets.storage.last_check` says.
    """
    of_tracks = [blob for track in tracks for blob in stored.get(track, ())]
    due, done = read_last_check(library.blobs, ARTWORKS).due(of_tracks, CHECKED_IN_TURN)
    faults = {track: _missing(track) for track in tracks if not stored.get(track)}
    faults |= {_track_of(blob): fault for blob, fault in _faults(library, due)}
    without_digest = [_track_of(blob) for blob in due if not _digest_in(blob.name)][:_READ_WITHOUT_DIGEST]
    # The soundtracks of the others may be away, or be observed by another run.
    others = (blob for track, blobs in stored.items() if track not in tracks for blob in blobs)
    return ArtworkCheck(list(dict.fromkeys((*faults, *without_digest))), faults, done.advanced(due, others))


def record_checked_artworks(library: Library, check: ArtworkCheck) -> None:
    """Store how far the artworks were checked."""
    if check.done != read_last_check(library.blobs, ARTWORKS):
        write_last_check(library.blobs, ARTWORKS, check.done)


def faults_of_artworks(library: Library, tracks: Collection[TrackId]) -> list[str]:
    """Read the artworks of these tracks, and return a sentence for each that is damaged or missing."""
    stored = artworks_by_track(library)
    missing = [_missing(track) for track in tracks if not stored.get(track)]
    blobs = [blob for track in tracks for blob in stored.get(track, ())]
    return sorted([*missing, *(fault for _, fault in _faults(library, blobs))])


def _faults(library: Library, artworks: Sequence[Blob]) -> list[tuple[Blob, str]]:
    return [(blob, fault) for blob, fault in on_all_cores(lambda blob: _fault_of(library, blob), artworks) if fault]


def _fault_of(library: Library, artwork: Blob) -> str:
    """Return a sentence if an artwork is not what was written; nothing if it is, or nobody knows what was."""
    digest = _digest_in(artwork.name)
    try:
        if not digest or _digest(library.blobs.read(ARTWORKS, artwork.name)) == digest:
            return ""
    except BlobNotFound:
        return ""  # it was replaced meanwhile
    return f"{ARTWORKS}/{artwork.name}: the stored picture is damaged"


def _missing(track: TrackId) -> str:
    return f"{ARTWORKS}/{track}: the picture is missing"


def _track_of(artwork: Blob) -> TrackId:
    return TrackId(artwork.name.partition(".")[0])


def _digest_in(name: str) -> str:
    _, _, rest = name.partition(".")
    digest, dot, _ = rest.partition(".")
    return digest if dot else ""


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).hexdigest()
