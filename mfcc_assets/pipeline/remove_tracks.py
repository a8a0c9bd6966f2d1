"""Remove tracks from the library."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from mfcc_assets.errors import BlobNameError, TrackNotFound
from mfcc_assets.library import Library
from mfcc_assets.pipeline.added_sources import AddedSources
from mfcc_assets.pipeline.find_track import find_track
from mfcc_assets.pipeline.purge import remove_features
from mfcc_assets.storage.blobs.names import name_of_file, shown_name
from mfcc_assets.storage.blobs.port import SOUNDTRACKS
from mfcc_assets.storage.sql.records import Soundtrack


@dataclass(frozen=True)
class Removal:
    """The tracks that somebody wants to remove.

    Attributes
    ----------
    tracks
        The tracks, sorted by the names of their files.
    links
        Names of those whose file is only a link. The link is removed, and the file that it leads to stays.
    """

    tracks: Sequence[Soundtrack]
    links: Sequence[str]


def tracks_to_remove(library: Library, texts: Iterable[str]) -> Removal:
    """Return the tracks that texts name.

    Parameters
    ----------
    library
        The library.
    texts
        Each is the path of a file in the library or in a folder in place, of a file that a track was copied from, or of
        a folder with such files. Otherwise it names one track, as `mfcc_assets.pipeline.find_track.find_track`
        understands it.

    Raises
    ------
    TrackNotFound
        If a text names no track, or names a part that several tracks have.
    BlobNameError
        If a track lies in a folder in place or in a linked folder, which the library never changes.
    """
    by_name = {track.blob_name: track for track in library.catalogue.soundtracks()}
    sources = AddedSources(library)
    found: dict[str, Soundtrack] = {}
    for text in texts:
        if not text.strip():
            raise TrackNotFound("the name is empty", remedy="Name a track by its id, its title, or its file")
        names = [*_names_below(library, Path(text), by_name), *sources.copied_from(Path(text))]
        tracks = [by_name[name] for name in names if name in by_name] or [find_track(library, text)]
        found |= {track.blob_name: track for track in tracks}
    for name in found:
        _require_own_folder(library, name)
    paths = {name: library.blobs.path(SOUNDTRACKS, name) for name in sorted(found)}
    links = [name for name, path in paths.items() if path is not None and path.is_symlink()]
    return Removal([found[name] for name in paths], links)


def remove_files(library: Library, removal: Removal) -> None:
    """Delete the files of tracks in the library. The next run removes their rows, lists and artwork, and the index.

    Raises
    ------
    StoreError
        If a file cannot be deleted.
    """
    for track in removal.tracks:
        library.blobs.delete(SOUNDTRACKS, track.blob_name)


def forget_audio(library: Library, removal: Removal) -> int:
    """Remove the features of the audio of removed tracks, and what the database knows of it.

    This is done after the run, because the former index still needs the features until then. What another soundtrack or
    an upload has too is kept.

    Returns
    -------
    int
        Number of audios whose features were removed.
    """
    audio_ids = {track.audio_id for track in removal.tracks if track.audio_id}
    needed = set(library.catalogue.tracks_of_audio(audio_ids))
    needed |= {body["audio_id"] for body in (found.body for found in library.documents.find()) if body.get("audio_id")}
    unused = audio_ids - needed
    remove_features(library, unused)
    for track in removal.tracks:
        if track.audio_id in unused:
            digests = library.catalogue.digests_of_audio(track.audio_id)
            library.recommendations.forget_upload(track.track_id, content_digests=digests)
    return len(unused)


def _names_below(library: Library, path: Path, names: Iterable[str]) -> list[str]:
    """Return the names of the blobs at a path, or below it, in a library on this disk or in its folders in place."""
    if library.settings.profile != "local":
        return []
    # Links in the container are not followed: they have names of their own.
    whole = Path(os.path.realpath(path.parent)) / path.name if path.name not in ("", "..") else path.resolve()
    folders = library.music_folders.every()
    for label, folder in {"": library.settings.blobs / SOUNDTRACKS, **folders}.items():
        for top, inside in product(
            (Path(os.path.realpath(folder)), folder),
            (whole, Path(os.path.abspath(path))),  # noqa: PTH100  `absolute` keeps ".."
        ):
            if inside.is_relative_to(top):
                below = name_of_file(inside.relative_to(top).as_posix())
                wanted = "/".join(part for part in (label, below) if part not in ("", "."))
                own = (name for name in names if label or name.partition("/")[0] not in folders)
                return [name for name in own if wanted in ("", name) or name.startswith(f"{wanted}/")]
    return []


def _require_own_folder(library: Library, name: str) -> None:
    path = library.blobs.path(SOUNDTRACKS, name)
    if path is None:
        return
    if library.settings.profile == "local" and library.music_folders.folder_of(name) is not None:
        raise BlobNameError(
            "it lies in a folder in place",
            subject=shown_name(name),
            remedy="Delete the file there, and run `mfcc sync`; `mfcc sync --forget FOLDER` lets go of the folder",
        )
    folder, own = os.path.realpath(path.parent), os.path.realpath(library.settings.blobs / SOUNDTRACKS)
    if folder != str(path.parent) or not path.is_relative_to(own):
        raise BlobNameError(
            f"it lies in a linked folder ({shown_name(folder)}), which the library reads and never changes",
            subject=shown_name(name),
            remedy="Delete the file there, or remove the link, and run `mfcc sync`",
        )
