"""Choose the names that files get in the library, so that no file takes the name of another."""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path, PurePosixPath

from mfcc_assets.music_names import unmistakable
from mfcc_assets.storage.blobs.names import clean_name_of_file


class NamesInLibrary:
    """The names of the blobs in `soundtracks`, and the places in the library that folders of this machine have.

    Two names count as the same if they differ only in case or in the Unicode form of their letters, since some file
    systems have one file for both. A name also counts as taken if it would be a file and a folder at once.

    Parameters
    ----------
    names
        Names that are taken.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, str] = {}
        self._folders: set[str] = set()
        self._places: dict[Path, str] = {}
        for name in names:
            self.take(name)

    def take(self, name: str, source: Path | None = None) -> None:
        """Remember that a name is taken.

        Parameters
        ----------
        name
            Name of the blob.
        source
            The file that it was copied from. The folders of this file then have the place in the library in which the
            blob lies, and further files from them get the same place.
        """
        self._names[_key(name)] = name
        blob = PurePosixPath(name)
        self._folders.update(_key(str(folder)) for folder in blob.parents[:-1])
        if source is None:
            return
        folder, place = source.parent, blob.parent
        while place.name:
            self._places.setdefault(folder, str(place))
            if _cleaned(folder.name) != place.name:
                break
            folder, place = folder.parent, place.parent

    def taken(self, name: str) -> str | None:
        """Return the name of the blob that has this name already, or None."""
        return self._names.get(_key(name))

    def is_free(self, name: str) -> bool:
        """Return True if a blob can get this name beside all others."""
        key = _key(name)
        is_taken = key in self._names or key in self._folders
        return not is_taken and not any(_key(str(folder)) in self._names for folder in PurePosixPath(name).parents)

    def refuse(self, name: str) -> None:
        """Remember that no blob can get a name, and that nothing can be stored in its folder."""
        folder = str(PurePosixPath(name).parent)
        self.take(name if folder == "." else folder)
        self._places = {source: place for source, place in self._places.items() if self.is_free(f"{place}/name")}

    def usual_names(self, file: Path) -> Iterator[str]:
        """Yield every name that a file can have by its path: its own name alone, then with more and more folders."""
        parts = file.parts[1:]
        for first in range(len(parts) - 1, -1, -1):
            yield _cleaned("/".join(parts[first:]))

    def free_name(self, file: Path, root: Path | None) -> str:
        """Return the name for a new file.

        If a folder above the file has a place in the library, the file gets its place below it. Otherwise, the name of
        a file in a named folder begins with this folder, and a named file has a name without folders. If that belongs
        to others, folders above it are put in front. A number at the end distinguishes files in one place.

        Parameters
        ----------
        file
            Absolute path of the file, as it was found.
        root
            Absolute path of the folder that the user named, or None if the user named the file.
        """
        placed = self._name_by_place(file)
        if placed is None and root is not None:
            self._places[root] = self._free_place(root)
            placed = self._name_by_place(file)
        if placed is not None:
            return placed if self.is_free(placed) else self._numbered(placed)
        names = list(self.usual_names(file))
        return next((name for name in names if self.is_free(name)), None) or self._numbered(names[0])

    def _name_by_place(self, file: Path) -> str | None:
        for folder in file.parents:
            if folder in self._places:
                return _cleaned(f"{self._places[folder]}/{file.relative_to(folder)}")
        return None

    def _free_place(self, folder: Path) -> str:
        if not folder.name:
            return "root"
        places = list(self.usual_names(folder))
        free = (place for place in places if self.is_free(place))
        return next(free, None) or self._numbered(places[0])

    def _numbered(self, name: str) -> str:
        """Put a number behind the part of a name that is taken: a folder, if there is a file of that name."""
        parts = PurePosixPath(name).parts
        depths = range(1, len(parts))
        depth = next((depth for depth in depths if _key("/".join(parts[:depth])) in self._names), len(parts))
        above, part, below = parts[: depth - 1], PurePosixPath(parts[depth - 1]), parts[depth:]
        numbered = (f"{part.stem} ({number}){part.suffix}" for number in count(2))
        names = (_cleaned("/".join([*above, other, *below])) for other in numbered)
        return next(other for other in names if self.is_free(other))


def _cleaned(name: str) -> str:
    return unmistakable(clean_name_of_file(name))


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())
