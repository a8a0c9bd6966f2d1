"""Soundtracks that are missing although their folder is there: its disk may not be mounted, so they are away.

An unmounted disk leaves an empty folder, in which a stray file may lie, or an empty folder among others that are there.
"""

import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mfcc_assets.errors import SettingsError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.music_files import ContainerFiles, Missing, container_files
from mfcc_assets.storage.blobs.music_disks import DiskRecord
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.port import SOUNDTRACKS

LEAST_AT_ONCE = 5
"""Smallest number of soundtracks of a folder in place that are missing at once. Fewer may well have been deleted."""


def missing_soundtracks(library: Library, gone: Iterable[str]) -> tuple[Missing, ...]:
    """Return the soundtracks that are rather away than deleted, among those whose files are gone.

    These are more than half of the soundtracks of a folder in place, if they are at least `LEAST_AT_ONCE`. And they are
    those whose folder lies on another disk than when the library last looked. What the owner gave up is not among them.

    Parameters
    ----------
    library
        The library.
    gone
        Names of files that are known and not there, without those that have other names now.
    """
    names = set(gone)
    if library.settings.profile != "local" or not names:
        return ()
    record, known = library.music_disks.read(), library.catalogue.track_ids()
    names &= known.keys() - set(record.given_up)
    found, totals = [], Counter(name.partition("/")[0] for name in known if "/" in name)
    for label, folder in library.music_folders.every().items():
        lost = frozenset(name for name in names if name.startswith(f"{label}/"))
        if len(lost) >= LEAST_AT_ONCE and 2 * len(lost) > totals[label]:
            found.append(Missing(folder, lost, f"are missing at once, of {totals[label]:,}"))
            names -= lost
    others: dict[Path, set[str]] = {}
    for name in names:
        folder = _folder_of(library, name)
        disk = record.disk_of(folder)
        if disk is not None and _device(folder) != disk[1]:
            others.setdefault(disk[0], set()).add(name)
    reason = "are missing, and another disk was there before"
    return (*found, *(Missing(folder, frozenset(lost), reason) for folder, lost in sorted(others.items())))


def files_and_missing(library: Library) -> ContainerFiles:
    """Return the files in the container `soundtracks`, and what is missing of its folders."""
    files = container_files(library)
    gone = files.difference(library.catalogue.manifest(library.shards)).gone
    return replace(files, missing=missing_soundtracks(library, gone))


def give_up(library: Library, folder: Path) -> int:
    """Take the missing soundtracks below a folder for gone, and return how many there are. The next run removes them.

    Raises
    ------
    SettingsError
        If none are missing there.
    """
    missing = files_and_missing(library).missing
    real = Path(os.path.realpath(folder))
    names = {
        name
        for each in missing
        for name in each.names
        if Path(os.path.realpath(_folder_of(library, name))).is_relative_to(real)
    }
    if not names:
        others = ", ".join(shown_name(str(each.folder)) for each in missing)
        raise SettingsError(
            "no soundtracks are missing there",
            subject=shown_name(str(folder)),
            remedy=f"Name one of these folders: {others or 'none'}. `mfcc sync --forget` lets go of a folder in place",
        )
    record = library.music_disks.read()
    library.music_disks.write(replace(record, given_up=(*record.given_up, *sorted(names))))
    return len(names)


def remember_disks(library: Library, files: ContainerFiles) -> None:
    """Remember on which disks the soundtracks lie. What is away stays remembered as it was.

    Parameters
    ----------
    library
        The library, whose catalogue knows the files.
    files
        The files in the container `soundtracks`, and what is missing.
    """
    if library.settings.profile != "local":
        return
    record, known = library.music_disks.read(), library.catalogue.track_ids()
    own = library.settings.blobs / SOUNDTRACKS
    tops = [own, *library.music_folders.every().values()]
    away = _with_folders_above(tops, _folders_of(library, [name for name in known if files.is_away(name)]))
    kept = {folder: disk[1] for folder in away if (disk := record.disk_of(folder)) is not None}
    there = _with_folders_above(tops, _folders_of(library, [name for name in known if name in files.music]))
    present = DiskRecord()
    for folder in sorted({*tops, *away, *there}):
        device, above = kept.get(folder, _device(folder)), present.disk_of(folder)
        if above is None or above[1] != device:
            present = DiskRecord({**present.devices, str(folder): device})
    # The home may lie on another disk each time, as in a container. Only other disks below it are remembered.
    devices = {folder: device for folder, device in present.devices.items() if folder != str(own)}
    given_up = tuple(name for name in record.given_up if name in known and name not in files.music)
    if (now := DiskRecord(devices, given_up)) != record:
        library.music_disks.write(now)


def _folders_of(library: Library, names: Iterable[str]) -> set[Path]:
    one_of_each = {name.rpartition("/")[0]: name for name in names}
    return {_folder_of(library, name) for name in one_of_each.values()}


def _with_folders_above(tops: Iterable[Path], folders: Iterable[Path]) -> set[Path]:
    """Return folders, and those above them as far as one of the top folders."""
    every = {place for folder in folders for place in (folder, *folder.parents)}
    return {place for place in every if any(place.is_relative_to(top) for top in tops)}


def _folder_of(library: Library, name: str) -> Path:
    path = library.blobs.path(SOUNDTRACKS, name)
    assert path is not None, "a library on this machine has paths"
    return path.parent


def _device(folder: Path) -> int:
    """Return the device of a folder, or of the nearest one above it that is there."""
    for place in (folder, *folder.parents):
        with suppress(OSError):
            return place.stat().st_dev
    return 0
