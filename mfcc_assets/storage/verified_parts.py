"""Remembers on this disk which large files were verified, so that not every process reads them whole when it begins."""

import hashlib
import time
from contextlib import suppress
from pathlib import Path

VERIFIED_FOR = 7 * 86_400.0
"""Seconds after which a file is verified again, as a disk can damage a file without changing its times."""


class VerifiedParts:
    """A folder with an empty file for each check that succeeded. Any number of processes share it.

    Parameters
    ----------
    folder
        The folder. It is made when it is needed first. Where it cannot be written, nothing is remembered.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, *identity: str) -> bool:
        """Return whether a file was verified lately.

        Parameters
        ----------
        identity
            Texts that are others whenever the file is another one, such as its name, its ETag and its checksum.
        """
        try:
            age = time.time() - self._note(identity).stat().st_mtime
        except OSError:
            return False
        return 0 <= age < VERIFIED_FOR

    def add(self, *identity: str) -> None:
        """Remember that a file was verified now, and forget the checks that count no more."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._note(identity).touch()
            for note in self._folder.iterdir():
                if time.time() - note.stat().st_mtime > VERIFIED_FOR:
                    note.unlink(missing_ok=True)

    def _note(self, identity: tuple[str, ...]) -> Path:
        return self._folder / hashlib.blake2b("\0".join(identity).encode(), digest_size=16).hexdigest()
