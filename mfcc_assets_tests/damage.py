"""Damage the stored files of a library, and run a command on it."""

import json
from collections.abc import Callable

from click.testing import CliRunner, Result

from mfcc_assets.cli.main import main
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import CEPSTRA

Lists = dict[str, list[tuple[str, float]]]
Damage = Callable[[bytes], bytes]


def flip(stored: bytes) -> bytes:
    """Change one bit in the middle."""
    changed = bytearray(stored)
    changed[len(changed) // 2] ^= 4
    return bytes(changed)


def cut(stored: bytes) -> bytes:
    """Remove the second half."""
    return stored[: len(stored) // 2]


def empty(_: bytes) -> bytes:
    return b""


def damage(library: Library, name: str, change: Damage) -> None:
    library.blobs.write(CEPSTRA, name, change(library.blobs.read(CEPSTRA, name)))


def names(library: Library, prefix: str) -> list[str]:
    return [blob.name for blob in library.blobs.list(CEPSTRA, prefix)]


def lists(library: Library) -> Lists:
    """Return the names and distances of the recommendations of each soundtrack, by track id."""
    return {
        track.track_id: [(row.blob_name, row.distance) for row in library.recommendations.recommended(track.track_id)]
        for track in library.catalogue.soundtracks()
    }


def command(settings: Settings, *arguments: str) -> Result:
    return CliRunner(env={"MFCC_HOME": str(settings.folder)}).invoke(main, arguments)


def index_part(library: Library, version: str | None, part: str) -> str:
    """Return the blob name of a file of an index: of the version, of its calibration, or of its newest segment."""
    if part in ("index.json", "changes.npz"):
        return f"indexes/{version}/{part}"
    described = json.loads(library.blobs.read(CEPSTRA, f"indexes/{version}/index.json"))
    if part == "calibration.npz":
        return f"index_calibrations/{described['calibrated_as']}/{part}"
    return f"index_segments/{described['segments'][-1]}/{part}"
