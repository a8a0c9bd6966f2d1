"""Playlists as files that players open."""

from collections.abc import Sequence
from pathlib import Path

from mfcc_assets.core.errors import StoreError
from mfcc_assets.core.playlists import Entry, format_of
from mfcc_assets.library import Library
from mfcc_assets.stores.blobs import LONGEST_LINK_SECONDS
from mfcc_assets.stores.records import Soundtrack


def export_playlist(library: Library, path: Path, title: str, soundtracks: Sequence[Soundtrack]) -> None:
    """Write tracks of the library as a playlist; the suffix of the file decides the format.

    Tracks lie where the library keeps them: as paths where that is this machine, otherwise as signed links, which end
    after an hour: whoever has the file has the music. Export again then.

    Raises
    ------
    UnknownPlaylistFormat
        No format has this suffix.
    StoreError
        The file cannot be written.
    """
    text = format_of(path)(title, [_entry(library, track) for track in soundtracks])
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise StoreError(
            f"the playlist cannot be written ({error.strerror or error})",
            subject=str(path),
            remedy="Check that the folder is there, and its permissions",
        ) from error


def _entry(library: Library, track: Soundtrack) -> Entry:
    path = library.blobs.path("soundtracks", track.blob_name)
    return Entry(
        location=path or library.blobs.link("soundtracks", track.blob_name, seconds=LONGEST_LINK_SECONDS),
        title=track.title or Path(track.blob_name).stem,
        artist=track.artist,
        album=track.album,
        seconds=track.seconds,
        identifier=f"urn:mfcc:{track.track_id}",
    )
