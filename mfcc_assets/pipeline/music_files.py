"""The music files of a container, and the difference between a listing and the catalogue."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath

from mfcc_assets.audio.signature import Impression, audio_format, first_impression
from mfcc_assets.library import Library
from mfcc_assets.music_names import FOLDERS, has_audio_suffix, kind_of_name
from mfcc_assets.storage.blobs.port import AWAY, BROKEN_LINKS, SOUNDTRACKS, Blob, OnSkipped

_FIRST_BYTES = 16_384
"""Enough to tell a text from samples. Every file of a large folder is opened for them."""

_CLOCK_SKEW = timedelta(minutes=5)

_TELLING_BYTES = 64
"""Fewer bytes may be what is left of a damaged file."""


def is_worth_trying(path: Path, name: str) -> bool:
    """Return True if a file holds audio, or may be what is left of it.

    A file whose name does not tell what it is is tried if its content is audio. One with the suffix of an audio file is
    tried unless its first bytes are those of something else, such as a text or a picture. So a damaged one is tried,
    and its owner sees why it cannot be used.

    Parameters
    ----------
    path
        The file.
    name
        Name of the file, which `path` need not have.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    if not has_audio_suffix(name):
        return audio_format(path) is not None
    with path.open("rb") as file:
        head = file.read(_FIRST_BYTES)
    return len(head) < _TELLING_BYTES or first_impression(head)[0] is not Impression.OTHER


@dataclass(frozen=True)
class Missing:
    """Soundtracks that are missing below a folder, and are taken to be away.

    Attributes
    ----------
    folder
        Path of the folder.
    names
        Names of the soundtracks.
    reason
        Why they are taken to be away, as the end of a sentence that begins with their number.
    """

    folder: Path
    names: frozenset[str]
    reason: str


@dataclass(frozen=True)
class ContainerFiles:
    """The files in the container `soundtracks`.

    Attributes
    ----------
    music
        Files that are tried as music, by name.
    skipped
        Names of all other files and folders, by kind.
    away
        Names of files and folders that are away or cannot be read now, and of broken links: what they lead to may be on
        a disk that is not mounted. The soundtracks of these names stay in the library.
    missing
        Soundtracks that `mfcc_assets.pipeline.missing` finds missing. They stay, too.
    reported_at
        When the report that names the files began. None if the container was listed, so that all of this is present.
    """

    music: dict[str, Blob]
    skipped: dict[str, list[str]]
    away: frozenset[str] = frozenset()
    missing: tuple[Missing, ...] = ()
    reported_at: datetime | None = None

    def is_away(self, name: str) -> bool:
        """Return True if a file is away or missing, or a folder that it lies in is away."""
        folders = PurePosixPath(name).parents if self.away else ()
        if name in self.away or any(str(folder) in self.away for folder in folders):
            return True
        return any(name in missing.names for missing in self.missing)

    def difference(self, manifest: Mapping[str, str]) -> "Difference":
        """Compare the files that are there with those that are known, of which the ones that are away are unchanged.

        Parameters
        ----------
        manifest
            Version (ETag) of each file that is known, by name.
        """
        versions = {name: etag for name, etag in manifest.items() if self.is_away(name)}
        return difference(versions | {name: blob.etag for name, blob in self.music.items()}, manifest)


def container_files(library: Library) -> ContainerFiles:
    """Return the files in the container `soundtracks`. Music is told from other files by name and size alone.

    If the settings name a rule of the Blob inventory, they are those of its newest report, and the container is not
    listed. A report tells nothing of a file that was observed after it began: such a file is taken to be as it was
    observed, until a later report tells.

    Raises
    ------
    StoreError
        If the container cannot be listed, or the report cannot be used.
    """
    music: dict[str, Blob] = {}
    skipped: dict[str, list[str]] = {}

    def skip(name: str, kind: str) -> None:
        skipped.setdefault(kind, []).append(name)

    folders: set[str] = set()
    labels = library.music_folders.every() if library.settings.profile == "local" else {}
    listed, reported_at = _listed(library, skip)
    for blob in listed:
        folders.update(str(folder) for folder in PurePosixPath(blob.name).parents)
        first, _, below = blob.name.partition("/")
        # A folder in place is taken whatever its name is, since its owner named it.
        kind = kind_of_name(below if first in labels else blob.name)
        if kind:
            skip(blob.name, kind)
        else:
            music[blob.name] = blob
    if reported_at is not None:
        music |= _observed_after(library, reported_at)
    for name in [*_markers(music, folders)]:
        del music[name]
        skip(name, FOLDERS)
    broken = skipped.get(BROKEN_LINKS, [])
    return ContainerFiles(music, skipped, frozenset([*skipped.pop(AWAY, []), *broken]), reported_at=reported_at)


def _listed(library: Library, on_skipped: OnSkipped) -> tuple[Iterable[Blob], datetime | None]:
    """Return the blobs of the container and, if a report names them, when it began."""
    if not library.settings.blob_inventory:
        return library.blobs.list(SOUNDTRACKS, on_skipped=on_skipped), None
    from mfcc_assets.storage.blobs.inventory import BlobInventory  # it imports PyArrow, and only Azure needs it

    report = BlobInventory(library.blobs, library.settings.blob_inventory).newest(SOUNDTRACKS, on_skipped)
    return report.blobs, report.began


def _observed_after(library: Library, moment: datetime) -> dict[str, Blob]:
    """Return the files that were observed after a moment, as they were observed."""
    known = library.catalogue.known_files().items()
    return {
        name: Blob(name, file.bytes, file.etag, file.observed_at, whole=True)
        for name, file in known
        if file.observed_at > moment - _CLOCK_SKEW
    }


def skipped_files(library: Library, files: ContainerFiles) -> dict[str, list[str]]:
    """Return the names of the files that are no music by their name or by their content, by kind.

    Those that are no music by their content are known from the last run over the library.
    """
    skipped = {kind: [*names] for kind, names in files.skipped.items()}
    for file in library.catalogue.skipped_files():
        skipped.setdefault(file.kind, []).append(file.blob_name)
    return skipped


def soundtrack_files(library: Library) -> dict[str, Blob]:
    """Return every file in the container `soundtracks` that is tried as music, by its name."""
    return container_files(library).music


def _markers(music: Mapping[str, Blob], folders: set[str]) -> Iterator[str]:
    """Yield the names of empty blobs that Azure's tools keep for folders."""
    for name, blob in music.items():
        if not blob.size and (name in folders or not has_audio_suffix(name)):
            yield name


@dataclass(frozen=True)
class Difference:
    """The difference between the files of a library and those that the catalogue knows. All names are sorted.

    Attributes
    ----------
    new, changed, gone, unchanged
        Names of files.
    renamed
        Present names of files that are known under other names.
    """

    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    unchanged: tuple[str, ...]
    renamed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone or self.renamed)

    @property
    def outcomes(self) -> dict[str, str]:
        """State of each name: ``new``, ``changed``, ``gone``, ``unchanged`` or ``renamed``."""
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
    Difference(new=('a',), changed=('b',), gone=(), unchanged=(), renamed=())
    """
    both = listing.keys() & manifest.keys()
    changed = {name for name in both if listing[name] != manifest[name]}
    return Difference(
        new=tuple(sorted(listing.keys() - both)),
        changed=tuple(sorted(changed)),
        gone=tuple(sorted(manifest.keys() - both)),
        unchanged=tuple(sorted(both - changed)),
    )
