"""Examine what a library needs of this machine: the settings, the home and its disk, and what is installed."""

import os
import platform
import sqlite3
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from mfcc_assets.library import Library
from mfcc_assets.pipeline.faults import Examined, first_faults
from mfcc_assets.settings import Settings, settings_files
from mfcc_assets.settings_files import unknown_variables
from mfcc_assets.storage.disk_space import free_bytes

LEAST_FREE_BYTES = 500_000_000
"""A run over a library may need this much: it builds a new index beside the one that answers."""

_PACKAGE = "mfcc-assets"
_SHOWN = ("dagster", "numpy", "numba", "faiss-cpu", "av", "sqlalchemy")
_OF_SERVICES: Mapping[str, tuple[str, ...]] = {
    "audd": ("audd-token",),
    "acrcloud": ("acrcloud-key", "acrcloud-secret"),
    "acoustid": ("acoustid-key",),
}
"""Secrets that each recognition service needs."""


def examine_settings(settings: Settings) -> Examined:
    """Tell which files set something, and find variables that set nothing."""
    files = [str(path) for path in settings_files() if path.is_file()]
    faults = unknown_variables(settings.environment, Settings.model_fields)
    return Examined("settings", f"from the environment and {', '.join(files) or 'no file'}", faults)


def examine_home(settings: Settings) -> Examined:
    """Find folders and files of the home that this user may not write."""
    home = settings.folder
    if not home.exists():
        if "home" in settings.model_fields_set:
            what = f"{home} does not exist. Check the setting, and that the disk is mounted, or add music to make it."
            return Examined("home", faults=[what])
        return Examined("home", f"{home} does not exist", notes=["There is no library yet. `mfcc add PATH` makes one."])
    faults = [
        f"{path}: {user_may_not}. Run: chown or chmod, as its owner, or use the library as this user."
        for path, user_may_not in _not_permitted(home)
    ]
    key = home / "signing.key"
    if key.exists() and key.stat().st_mode & 0o077:
        faults.append(f"{key}: other users may read it, and it signs links. Run: chmod 600 {key}")
    return Examined("home", str(home), first_faults(faults))


def examine_disk(settings: Settings) -> Examined:
    """Find out whether a run has enough space."""
    free = free_bytes(settings.folder)
    faults = [
        f"Only {free / 1e6:.0f} MB are free on the disk of {settings.folder}, and a run may need "
        f"{LEAST_FREE_BYTES / 1e6:.0f} MB. Free some space, or run `mfcc index prune` and `mfcc purge --lapsed`."
    ]
    return Examined("disk", f"{free / 1e9:.1f} GB free", faults if free < LEAST_FREE_BYTES else [])


def examine_versions(_: Settings) -> Examined:
    """Find packages that are missing or have a version that this package does not work with."""
    own = distribution(_PACKAGE)
    faults = []
    supported = own.metadata["Requires-Python"]
    if supported and platform.python_version() not in SpecifierSet(supported, prereleases=True):
        faults.append(f"Python {platform.python_version()} is not supported, but {supported}. Install one of these.")
    for text in own.requires or ():
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            installed = "not installed"
        if installed == "not installed" or not requirement.specifier.contains(installed, prereleases=True):
            faults.append(f"{requirement.name} is {installed}, and {text} is needed. Run: pip install '{text}'")
    names = [f"{_PACKAGE} {own.version}", f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    return Examined("versions", ", ".join([*names, *_installed(_SHOWN)]), faults)


def examine_extras(library: Library) -> Examined:
    """Find optional dependencies and secrets that the settings need. Each that is missing raises `MfccError`."""
    settings = library.settings
    services = [name for name in settings.recogniser_names if name in _OF_SERVICES]
    if services:
        library.services  # noqa: B018  opening them needs their extra
    named = (settings.database_password_secret, settings.blob_key_secret, settings.cosmos_key_secret)
    secrets = [*filter(None, named), *(name for service in services for name in _OF_SERVICES[service])]
    for name in secrets:
        library.secrets.get(name)
    needs = [*services, *([settings.key_vault_url] if settings.key_vault_url else [])]
    return Examined("extras", f"all that {', '.join(needs)} need" if needs else "the settings need none")


def _not_permitted(home: Path) -> Iterator[tuple[Path, str]]:
    """Yield each folder and database that cannot be used, with the reason. The music itself is not examined."""
    for path in [*home.glob("*.sqlite*"), home / "signing.key"]:
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            yield path, "this user may not read and write it"
    for folder, _, _ in os.walk(home, onerror=None):
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            yield Path(folder), "this user may not read and write this folder"


def _installed(names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
