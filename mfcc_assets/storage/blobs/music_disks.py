"""The disks that soundtracks lay on when the library last looked, and the missing ones that its owner gave up."""

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mfcc_assets.errors import StoreError

_FILE = "disks.json"


@dataclass(frozen=True)
class DiskRecord:
    """What a home remembers of the disks.

    Attributes
    ----------
    devices
        Number of the device of a folder, by its path. A folder that is not named lies on the disk of the nearest named
        folder above it.
    given_up
        Names of missing soundtracks of which the owner said that they are gone for good.
    """

    devices: Mapping[str, int] = field(default_factory=dict)
    given_up: tuple[str, ...] = ()

    def disk_of(self, folder: Path) -> tuple[Path, int] | None:
        """Return the nearest named folder at or above a folder, with its device; None if there is none."""
        named = next((place for place in (folder, *folder.parents) if str(place) in self.devices), None)
        return None if named is None else (named, self.devices[str(named)])


class MusicDisks:
    """Reads and writes the `DiskRecord` of a library, which its home keeps in the file ``disks.json``.

    If the file is damaged or lost, nothing is known of the disks until the next look.

    Parameters
    ----------
    home
        Folder of the library.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / _FILE

    def read(self) -> DiskRecord:
        """Return the record; an empty one if there is none."""
        try:
            record = json.loads(self._file.read_bytes())
            devices = {str(folder): int(device) for folder, device in record["devices"].items()}
            return DiskRecord(devices, tuple(map(str, record["given_up"])))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return DiskRecord()

    def write(self, record: DiskRecord) -> None:
        """Replace the record. Raises `StoreError` if the home cannot be written."""
        staged = self._file.with_name(f"{_FILE}.{secrets.token_hex(4)}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            staged.write_text(json.dumps(asdict(record), indent=1))
            staged.replace(self._file)
        except OSError as error:
            with suppress(OSError):
                staged.unlink(missing_ok=True)
            raise StoreError(
                f"it cannot be written ({error.strerror or error})",
                subject=str(self._file),
                remedy="Check the permissions and the space of the library's folder",
            ) from error
