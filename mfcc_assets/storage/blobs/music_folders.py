"""The folders in place: folders of this machine that belong to a library where they lie, without a copy."""

import json
import os
import secrets
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from mfcc_assets.errors import SettingsError, StoreError
from mfcc_assets.settings import where_set
from mfcc_assets.storage.blobs.names import RESERVED_SEGMENT, clean_name_of_file, name_of_file, shown_name

_FILE = "music.json"
_NAME_OF_TOP = "root"


class MusicFolders:
    """The folders in place of a library, which its home remembers in the file ``music.json``.

    Each folder has a label, which begins the names of its soundtracks. A label is unique and stays as long as the
    library has the folder. Folders that the settings name are remembered when a run looks at them, so that no
    soundtrack is lost if a later command does not name them.

    Parameters
    ----------
    home
        Folder of the library.
    soundtracks
        Folder of the soundtracks that lie in the library itself. A label is not one of the names in it.
    named
        Folders that the settings name.

    Raises
    ------
    SettingsError
        From every method, if a named folder lies in the library itself.
    StoreError
        From every method, if the file is damaged or cannot be read.
    """

    def __init__(self, home: Path, soundtracks: Path, named: Sequence[Path] = ()) -> None:
        self.home = home
        self._soundtracks = soundtracks
        self._named = [_absolute(folder) for folder in named]
        self._file = home / _FILE
        self._seen: tuple[object, dict[str, Path]] | None = None

    def every(self) -> dict[str, Path]:
        """Return the absolute path of each folder as its owner named it, by label."""
        # Another process may add a folder at any time, and this is asked for the name of every soundtrack.
        version = self._version()
        if self._seen is None or self._seen[0] != version:
            self._seen = version, self._with(self._remembered(), self._named)
        return dict(self._seen[1])

    def remember(self) -> None:
        """Remember the folders that the settings name and that are there.

        A name that was mistyped leads nowhere, and is forgotten as soon as the settings do not have it any more.
        """
        kept = self._kept()
        if kept != self._remembered():
            self._write(kept)

    def folder_of(self, name: str) -> Path | None:
        """Return the folder that the soundtrack of a name lies in; None if it lies in the library itself."""
        label, slash, _ = name.partition("/")
        return self.every().get(label) if slash else None

    def add(self, folders: Sequence[Path]) -> list[str]:
        """Take folders into the library, and return the labels of the folders that they are in.

        A folder inside of one that is in place already is there already. A folder around such folders takes their
        place.
        """
        every = self._with(self._kept(), [_absolute(folder) for folder in folders])
        self._write(every)
        return [label for label, folder in every.items() if any(_is_within(added, folder) for added in folders)]

    def forget(self, folder: Path) -> None:
        """Let go of a folder. Its files stay where they are.

        Raises
        ------
        SettingsError
            If it is not one of the folders in place, or the settings name it.
        """
        every = self.every()
        if not any(_is_same(other, folder) for other in every.values()):
            known = ", ".join(shown_name(str(other)) for other in every.values()) or "none"
            raise SettingsError(
                "the library does not use this folder in place",
                subject=shown_name(str(folder)),
                remedy=f"Name one of these folders: {known}",
            )
        if any(_is_same(other, folder) for other in self._named):
            place = where_set("music")
            raise SettingsError(
                f"{place} names this folder",
                subject=shown_name(str(folder)),
                remedy=f"Remove it from {place}, and run the command again",
            )
        self._write({other: path for other, path in self._kept().items() if not _is_same(path, folder)})

    def _version(self) -> object:
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _remembered(self) -> dict[str, Path]:
        try:
            record = json.loads(self._file.read_bytes())
            return {label: Path(folder) for label, folder in record.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise StoreError(
                f"the list of the folders in place cannot be read ({error})",
                subject=str(self._file),
                remedy="Delete the file, and name the folders again with `mfcc add --in-place`",
            ) from error

    def _kept(self) -> dict[str, Path]:
        return self._with(self._remembered(), [folder for folder in self._named if folder.is_dir()])

    def _write(self, folders: dict[str, Path]) -> None:
        record = {label: str(folder) for label, folder in folders.items()}
        staged = self._file.with_name(f"{_FILE}.{secrets.token_hex(4)}")
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            try:
                staged.write_text(json.dumps(record, indent=1))
                staged.replace(self._file)
            finally:
                staged.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(
                f"it cannot be written ({error.strerror or error})",
                subject=str(self._file),
                remedy="Check the permissions and the space of the library's folder",
            ) from error

    def _with(self, folders: dict[str, Path], added: Sequence[Path]) -> dict[str, Path]:
        every = dict(folders)
        for folder in added:
            if _is_within(folder, self.home) or _is_within(folder, self._soundtracks):
                raise SettingsError(
                    "this folder lies in the library itself",
                    subject=shown_name(str(folder)),
                    remedy="Name a folder outside of MFCC_HOME",
                )
            if any(_is_within(folder, other) for other in every.values()):
                continue
            every = {label: other for label, other in every.items() if not _is_within(other, folder)}
            every[self._free_label(folder, every)] = folder
        return every

    def _free_label(self, folder: Path, folders: dict[str, Path]) -> str:
        try:
            entries = [name_of_file(entry.name) for entry in self._soundtracks.iterdir()]
        except FileNotFoundError:
            entries = []
        taken = {_key(name) for name in (*folders, *entries, RESERVED_SEGMENT)}
        label = clean_name_of_file(folder.name) if folder.name else _NAME_OF_TOP
        return next(name for name in _numbered(label) if _key(name) not in taken)


def _numbered(label: str) -> Iterator[str]:
    yield label
    for number in count(2):
        yield clean_name_of_file(f"{label} ({number})")


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())  # some file systems have one folder for both


def _absolute(folder: Path) -> Path:
    return Path(os.path.abspath(folder))  # noqa: PTH100  `absolute` keeps "..", `resolve` follows links


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _is_within(folder: Path, other: Path) -> bool:
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(other))
