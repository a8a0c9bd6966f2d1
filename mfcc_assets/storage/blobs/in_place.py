"""Blobs in local folders, with music that stays where it is: an adapter of `BlobStore`."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mfcc_assets.errors import BlobNameError, BlobNotFound
from mfcc_assets.storage.blobs.found_files import find_files
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.local_entries import blob_of_file
from mfcc_assets.storage.blobs.music_folders import MusicFolders
from mfcc_assets.storage.blobs.names import check_name, file_of_name, name_of_file
from mfcc_assets.storage.blobs.port import (
    AWAY,
    REFUSED_NAMES,
    SHADOWED,
    SOUNDTRACKS,
    Blob,
    OnSkipped,
    warn_once,
)


class InPlaceBlobs(LocalBlobs):
    """Local folders, where the container `soundtracks` also has the music of the folders in place.

    The blob of a file below such a folder is called ``<label of the folder>/<path below it>``. These blobs can be read
    and listed. Nothing is ever written or deleted there: a name below a label is refused. A folder of the same name in
    the container itself is not listed.

    Links are followed, and what is no music by its name is skipped, as
    `mfcc_assets.storage.blobs.found_files.find_files` says. What is missing, has no music or cannot be read is *away*:
    a listing tells the name of the folder or file with the kind `AWAY`, and goes on. A blob that is away is not found.

    Parameters
    ----------
    root, signing_key
        As for `LocalBlobs`.
    folders
        The folders in place.
    """

    def __init__(self, root: Path, signing_key: Callable[[], bytes], folders: MusicFolders) -> None:
        super().__init__(root, signing_key)
        self._folders = folders

    def list(self, container: str, prefix: str = "", on_skipped: OnSkipped | None = None) -> Iterator[Blob]:
        own = super().list(container, prefix, on_skipped)
        if container != SOUNDTRACKS:
            return own
        return self._every_soundtrack(own, prefix, on_skipped or warn_once(container))

    def _every_soundtrack(self, own: Iterator[Blob], prefix: str, on_skipped: OnSkipped) -> Iterator[Blob]:
        folders = self._folders.every()
        for blob in own:
            if blob.name.partition("/")[0] in folders:
                on_skipped(blob.name, SHADOWED)
            else:
                yield blob
        if folders:
            for blob in self._blobs_in_place(folders, on_skipped):
                if blob.name.startswith(prefix):
                    yield blob

    def _blobs_in_place(self, folders: dict[str, Path], on_skipped: OnSkipped) -> Iterator[Blob]:
        labels = {folder: label for label, folder in folders.items()}
        identities = {folder: _identity(folder) for folder in labels}
        present = [folder for folder in labels if identities[folder] is not None]
        found = find_files(present, without=[self._folders.home, self._top(SOUNDTRACKS)])
        for kind, paths in found.skipped.items():
            for path in paths:
                on_skipped(_name(path, labels), kind)
        for path in found.unreadable:
            on_skipped(_name(path, labels), AWAY)
        with_music = set()
        for file in found.music:
            assert file.root is not None
            name = _name(file.path, labels)
            try:
                check_name(name)
                blob = blob_of_file(file.root, name.partition("/")[2], keeps_etag=True)
            except BlobNameError as error:
                on_skipped(str(error), REFUSED_NAMES)
            except BlobNotFound:
                continue  # it was deleted since its folder was read
            except OSError:
                on_skipped(name, AWAY)
            else:
                with_music.add(file.root)
                yield replace(blob, name=name)
        for folder, label in labels.items():
            # A disk may be unmounted while its files are listed. Then the rest of them is not found.
            if folder not in with_music or _identity(folder) != identities[folder]:
                on_skipped(label, AWAY)

    def _listed_folders(self) -> Sequence[Path]:
        folders = self._folders.every().values()
        return [*super()._listed_folders(), *(Path(os.path.realpath(folder)) for folder in folders)]

    def _blob(self, container: str, name: str) -> Blob:
        place = self._place(container, name)
        if place is None:
            return super()._blob(container, name)
        try:
            return replace(blob_of_file(*place, keeps_etag=True), name=name)
        except OSError as error:
            raise BlobNotFound(
                f"it is away ({error.strerror or error})",
                subject=f"{container}/{name}",
                remedy="Check that its disk is mounted, and its permissions",
            ) from error

    def _path(self, container: str, name: str) -> Path:
        check_name(name)
        place = self._place(container, name)
        return super()._path(container, name) if place is None else place[0] / file_of_name(place[1])

    def _path_to_write(self, container: str, name: str) -> Path:
        place = self._place(container, name)
        if place is not None:
            raise BlobNameError(
                f"it lies below {place[0]}, whose music is used in place and never changed",
                subject=f"{container}/{name}",
                remedy="Change or delete the file there yourself, or choose another name",
            )
        return super()._path_to_write(container, name)

    def _place(self, container: str, name: str) -> tuple[Path, str] | None:
        """Return the folder in place that a blob belongs to, and its name below this folder."""
        folder = self._folders.folder_of(name) if container == SOUNDTRACKS else None
        return None if folder is None else (folder, name.partition("/")[2])


def _identity(folder: Path) -> tuple[int, int] | None:
    """Return the device and the number of a folder, or None if it is away."""
    try:
        status = folder.stat()
        with os.scandir(folder):
            return status.st_dev, status.st_ino
    except OSError:
        return None


def _name(path: Path, labels: dict[Path, str]) -> str:
    """Return the name of the blob of a file or folder that was found below one of the folders in place."""
    folder = next(folder for folder in (path, *path.parents) if folder in labels)
    return labels[folder] if path == folder else f"{labels[folder]}/{name_of_file(str(path.relative_to(folder)))}"
