"""The settings file `mfcc.toml`: where it lies, how it is read, and which setting is nearest to an unknown name."""

import os
import tomllib
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic_settings import BaseSettings, TomlConfigSettingsSource

from mfcc_assets.errors import SettingsError

FILE_NAME = "mfcc.toml"

_LIST = "The page about settings lists all of them"


class SettingsFile(TomlConfigSettingsSource):
    """A source of settings: one file. A file that does not exist sets nothing.

    A relative home, and relative folders of music, count from the folder of the file.

    Raises
    ------
    SettingsError
        If the file cannot be read, is no TOML, or has a key that is no setting.
    """

    def __init__(self, settings_cls: type[BaseSettings], path: Path) -> None:
        self._known = settings_cls.model_fields.keys()
        super().__init__(settings_cls, path)

    def _read_file(self, file_path: Any) -> dict[str, Any]:
        values = read_settings_file(file_path)
        for key in values:
            if key not in self._known:
                raise SettingsError(
                    f"there is no setting {key}",
                    subject=str(file_path),
                    remedy=_advice(key.lower().removeprefix("mfcc_"), self._known) or _LIST,
                )
        if isinstance(home := values.get("home"), str):
            values["home"] = _from_folder(file_path.parent, home)
        if isinstance(music := values.get("music"), str):
            folders = [_from_folder(file_path.parent, folder) for folder in music.split(os.pathsep) if folder]
            values["music"] = os.pathsep.join(folders)
        return values


def _from_folder(folder: Path, path: str) -> str:
    return path if path.startswith("~") else str(folder / path)


def read_settings_file(path: Path) -> dict[str, Any]:
    """Return the keys and values of a settings file; none if there is no such file.

    Raises
    ------
    SettingsError
        If the file cannot be read or is no TOML.
    """
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"the settings file cannot be read ({error.strerror or error})",
            subject=str(path),
            remedy="Check its permissions, or remove it",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"the settings file is no valid TOML ({error})",
            subject=str(path),
            remedy='Write a setting as name = "value" in each line, and numbers without quotes',
        ) from error


def files_of_settings(folder_of_user: Path) -> tuple[Path, ...]:
    """Return the paths at which a settings file is looked for. What the first one sets counts.

    Parameters
    ----------
    folder_of_user
        Folder of the configuration of all programs of this user.
    """
    return Path(FILE_NAME).absolute(), folder_of_user / "mfcc" / FILE_NAME


def unknown_variables(environment: Mapping[str, str], names: Collection[str]) -> list[str]:
    """Return a sentence for each variable of the environment that begins with ``MFCC_`` and sets nothing.

    Parameters
    ----------
    environment
        Variables and their values.
    names
        Names of all settings.

    Examples
    --------
    >>> unknown_variables({"MFCC_HOEM": "/music", "MFCC_SECRET_AUDD_TOKEN": "…"}, ["home"])
    ['MFCC_HOEM sets nothing, because there is no such setting. The nearest one is MFCC_HOME.']
    """
    known = [f"MFCC_{name.upper()}" for name in names]
    # The names of secrets are free. See `mfcc_assets.storage.secrets.environment`.
    unknown = [
        name
        for name in sorted(environment)
        if name.upper().startswith("MFCC_") and name.upper() not in known and not name.startswith("MFCC_SECRET_")
    ]
    return [
        f"{name} sets nothing, because there is no such setting. {_advice(name.upper(), known) or _LIST}."
        for name in unknown
    ]


def _advice(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"The nearest one is {near[0]}" if near else ""
