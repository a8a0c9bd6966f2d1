"""The music files of a container, and the difference between a listing and the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.port import Blob

_PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"}
_PLAYLISTS = {".cue", ".m3u", ".m3u8", ".pls"}
_TEXTS = {".htm", ".html", ".json", ".log", ".lrc", ".md", ".nfo", ".pdf", ".txt", ".url", ".xml"}
_SYSTEM_FILES = {".db", ".ini", ".md5", ".sfv"}

COMPANION_SUFFIXES = frozenset(_PICTURES | _PLAYLISTS | _TEXTS | _SYSTEM_FILES)
"""Suffixes of files that accompany music. Every other file is tried, so no audio is silently left out."""


def is_companion(blob_name: str) -> bool:
    """Return True if a file only accompanies music, such as a cover, a playlist or a hidden file.

    Examples
    --------
    >>> is_companion("album/cover.jpg"), is_companion("album/song.mp3")
    (True, False)
    """
    name = blob_name.rpartition("/")[2]
    return name.startswith(".") or PurePosixPath(name).suffix.lower() in COMPANION_SUFFIXES


def soundtrack_files(library: Library) -> dict[str, Blob]:
    """Return every music file in the container `soundtracks` by its name."""
    return {blob.name: blob for blob in library.blobs.list("soundtracks") if not is_companion(blob.name)}


@dataclass(frozen=True)
class Difference:
    """The difference between the files of a library and those that the catalogue knows. All names are sorted.

    Attributes
    ----------
    new, changed, gone, unchanged
        Names of files.
    """

    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    unchanged: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)

    @property
    def outcomes(self) -> dict[str, str]:
        """State of each name: ``new``, ``changed``, ``gone`` or ``unchanged``."""
        return {name: kind for kind, names in vars(self).items() for name in names}


def difference(listing: Mapping[str, str], manifest: Mapping[str, str]) -> Difference:
    """Compare the files that are there with those that are known.

    Parameters
    ----------
    listing, manifest
        Version (ETag) of each file that is there, and of each that is known, by name.

    Examples
    --------
    >>> difference({"a": "1", "b": "2"}, {"b": "1"})
    Difference(new=('a',), changed=('b',), gone=(), unchanged=())
    """
    both = listing.keys() & manifest.keys()
    changed = {name for name in both if listing[name] != manifest[name]}
    return Difference(
        new=tuple(sorted(listing.keys() - both)),
        changed=tuple(sorted(changed)),
        gone=tuple(sorted(manifest.keys() - both)),
        unchanged=tuple(sorted(both - changed)),
    )
