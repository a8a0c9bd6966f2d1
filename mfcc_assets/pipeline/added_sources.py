"""The files of this machine that soundtracks were copied from."""

import os
import platform
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlsplit

from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.names import shown_name


class SourceAddresses:
    """Addresses of files, as the database keeps them.

    Paths on two machines name different files. A library on this machine only gets files of this machine, whose name
    may change, for example with the network. So the addresses of such a library name no machine.
    """

    def __init__(self, library: Library) -> None:
        self._machine = "" if library.settings.profile == "local" else platform.node()

    def of(self, path: Path) -> str:
        """Return the address of a file of this machine, whose path is resolved."""
        return f"file://{quote(self._machine)}{quote(os.fsencode(path))}"

    def path(self, address: str) -> Path | None:
        """Return the path in an address, or None if it is the address of a file on another machine."""
        parts = urlsplit(address)
        return Path(os.fsdecode(unquote_to_bytes(parts.path))) if parts.netloc == quote(self._machine) else None


class AddedSources:
    """Which soundtrack was copied from which file. A soundtrack of a folder in place is no copy."""

    def __init__(self, library: Library) -> None:
        self._addresses = SourceAddresses(library)
        in_place = library.music_folders.every() if library.settings.profile == "local" else {}
        self._sources = {
            added.blob_name: added.source
            for added in library.added_files.every()
            if added.blob_name.partition("/")[0] not in in_place
        }

    def source_of(self, blob_name: str) -> str:
        """Return the path of the file that a soundtrack was copied from, for people; empty if it is not known."""
        source = self._sources.get(blob_name)
        path = self._addresses.path(source) if source else None
        return shown_name(str(path)) if path else source or ""

    def copied_from(self, path: Path) -> list[str]:
        """Return the names of the soundtracks that were copied from a file, or from the files below a folder.

        The file need not be there any more.
        """
        wanted = Path(os.path.realpath(path))
        return [
            name
            for name, source in self._sources.items()
            if (file := self._addresses.path(source)) is not None and file.is_relative_to(wanted)
        ]
