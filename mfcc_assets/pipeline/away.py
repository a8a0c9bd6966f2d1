"""Folders in place that are away: what is missing, and the soundtracks that stay in the library meanwhile."""

import shlex
from pathlib import Path, PurePosixPath

from mfcc_assets.library import Library
from mfcc_assets.pipeline.music_files import ContainerFiles, Missing
from mfcc_assets.settings import BETWEEN_FOLDERS
from mfcc_assets.storage.blobs.names import file_of_name, shown_name
from mfcc_assets.storage.blobs.port import SHADOWED, SOUNDTRACKS
from mfcc_assets.texts import counted


def sentences_on_away(library: Library, files: ContainerFiles) -> list[str]:
    """Return a sentence for each folder in place that is away or lacks much, and for all else that is away.

    Parameters
    ----------
    library
        The library.
    files
        The files in the container `soundtracks`, as `mfcc_assets.pipeline.missing.files_and_missing` lists them.
    """
    folders = library.music_folders.every() if files.away else {}
    away = [
        f"{_sentence(_path(library, name, folders), count)}{_hint(library, folders.get(name))}"
        for name, count in _numbers_away(library, files).items()
    ]
    return away + [_sentence_on_missing(each) for each in files.missing]


def paths_away(library: Library, files: ContainerFiles) -> list[str]:
    """Return the path of each folder or file on which `sentences_on_away` has a sentence."""
    folders = library.music_folders.every() if files.away else {}
    away = [_path(library, name, folders) for name in _numbers_away(library, files)]
    return [shown_name(str(path)) for path in (*away, *(each.folder for each in files.missing))]


def _numbers_away(library: Library, files: ContainerFiles) -> dict[str, int]:
    """Return how many soundtracks each name stands for that is away, without names that never had any."""
    if not files.away:
        return {}
    folders = library.music_folders.every()
    stay = dict.fromkeys(sorted(files.away), 0)
    for name in library.catalogue.track_ids():
        place = next((place for place in (name, *map(str, PurePosixPath(name).parents)) if place in stay), None)
        if place is not None:
            stay[place] += 1
    return {name: count for name, count in stay.items() if count or name in folders}


def sentences_on_shadowed(library: Library, files: ContainerFiles) -> list[str]:
    """Return a sentence for each folder in the container that is passed over, since a folder in place has its name.

    Parameters
    ----------
    library, files
        As for `sentences_on_away`.
    """
    folders: dict[str, list[str]] = {}
    for name in files.skipped.get(SHADOWED, []):
        label, _, below = name.partition("/")
        folders.setdefault(label, []).append(below)
    return [
        f"{counted(len(names), 'file')} in {_shown(library, label)}, such as {shown_name(min(names))}: a folder in "
        f"place has the label {shown_name(label)}, so this one is passed over. Move what it has to a folder of another "
        "name."
        for label, names in sorted(folders.items())
    ]


def _shown(library: Library, label: str) -> str:
    return shown_name(str(library.settings.blobs / SOUNDTRACKS / file_of_name(label)))


def _sentence(path: Path, count: int) -> str:
    soundtracks = "Its soundtrack stays" if count == 1 else f"Its {count:,} soundtracks stay"
    stay = f"{soundtracks} in the library." if count else "The library has no soundtracks of it."
    return f"{shown_name(str(path))} is away: it {_reason(path)}. {stay}"


def _hint(library: Library, folder: Path | None) -> str:
    """Return what may be wrong with a folder of the settings that does not exist."""
    named = library.settings.music_folders
    return f" {BETWEEN_FOLDERS}." if len(named) > 1 and folder in named and not folder.exists() else ""


def _sentence_on_missing(missing: Missing) -> str:
    folder = shown_name(str(missing.folder))
    return (
        f"{folder} is away, at least in part: {len(missing.names):,} of its soundtracks {missing.reason}. They stay in "
        f"the library. If they are gone for good, run `mfcc sync --accept {shlex.quote(folder)}`."
    )


def _reason(path: Path) -> str:
    try:
        if not path.is_dir():
            with path.open("rb"):
                return "could not be read"
        list(path.iterdir())
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    return "has no music"


def _path(library: Library, name: str, folders: dict[str, Path]) -> Path:
    label, _, below = name.partition("/")
    if label in folders:
        return folders[label] / file_of_name(below)
    return library.settings.blobs / SOUNDTRACKS / file_of_name(name)
