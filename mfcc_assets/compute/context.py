"""What work may use, wherever it runs: the blobs of a library, and the features and indexes in them."""

from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any, Self, TypeVar

from pydantic import TypeAdapter

from mfcc_assets.audio.reader import AudioLimits
from mfcc_assets.compute.local import on_all_cores, on_threads
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.library import Library
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import BlobStore
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets.storage.index_store import IndexStore
from mfcc_assets.storage.shared_tables import SharedTables

_Kept = TypeVar("_Kept")

_OF_WORK = (
    "profile",
    "music",
    "min_seconds",
    "max_seconds",
    "fft_size",
    "contour_rate",
    "blob_url",
    "blob_key_secret",
    "cache_gigabytes",
    "key_vault_url",
    "secret_seconds",
)
"""Settings that work uses, besides the home. An executor gets neither the addresses of databases nor their secrets."""


class Context:
    """The stores that work may use, and what it keeps from one call to the next. It has no database.

    Parameters
    ----------
    library
        The library whose stores are used.
    index
        An index that is open already. Otherwise work opens the version that it needs.
    for_each
        Function that applies another function to many items within one item of the work. On an executor, each core has
        items of its own, so it is `in_turn` there.
    """

    def __init__(self, library: Library, index: LibraryIndex | None = None, for_each: ForEach = on_all_cores) -> None:
        self._library = library
        self.for_each: ForEach = for_each
        self._kept: dict[str, tuple[str, Any]] = {"index": (index.version, index)} if index else {}
        self._lock = RLock()

    def on_cores(self, count: int) -> Self:
        """Return this context for work that has so many cores, because other work has the rest."""
        context = copy(self)
        context.for_each = partial(on_threads, threads=count) if count > 1 else in_turn
        return context

    def close(self) -> None:
        """Close the library whose stores were used."""
        self._library.close()

    @property
    def settings(self) -> Settings:
        return self._library.settings

    @property
    def blobs(self) -> BlobStore:
        return self._library.blobs

    @property
    def features(self) -> FeatureStore:
        return self._library.features

    @property
    def indexes(self) -> IndexStore:
        return self._library.indexes

    @property
    def tables(self) -> SharedTables:
        return self._library.tables

    @property
    def limits(self) -> AudioLimits:
        return self._library.limits

    @property
    def feature_parameters(self) -> FeaturesParameters:
        return self._library.feature_parameters

    def index(self, version: str) -> LibraryIndex:
        """Return the index of a version. It is opened once.

        Raises
        ------
        NoPublishedIndex, CorruptIndex
            If there is no such index, or it is damaged.
        """
        return self.once("index", version, lambda: self.indexes.read(version))

    def once(self, name: str, version: str, make: Callable[[], _Kept]) -> _Kept:
        """Return what `make` returns. It is made once for a version, and kept until another version is asked for."""
        with self._lock:
            known = self._kept.get(name)
            if known is None or known[0] != version:
                known = self._kept[name] = version, make()
            kept: _Kept = known[1]
        return kept

    def kept(self, name: str, version: str) -> Any | None:
        """Return what `once` has kept for a version; None if there is nothing."""
        known = self._kept.get(name)
        return known[1] if known is not None and known[0] == version else None


def settings_of_work(settings: Settings) -> dict[str, str]:
    """Return the settings that work needs, as texts that can be sent to another machine."""
    values = {name: getattr(settings, name) for name in _OF_WORK}
    if not settings.blob_key_secret:
        # Only the key of the blobs is read from the vault. An executor that needs none does not learn of the vault.
        del values["key_vault_url"], values["secret_seconds"]
    return {"home": str(settings.folder)} | {name: str(value) for name, value in values.items() if value is not None}


_opened: dict[tuple[tuple[str, str], ...], Context] = {}


def opened_context(settings: Mapping[str, str]) -> Context:
    """Return the context of an executor's process for some settings. It is opened once, and kept until others are used.

    Parameters
    ----------
    settings
        What `settings_of_work` returned on the machine that plans the work.
    """
    name = tuple(sorted(settings.items()))
    if name not in _opened:
        for former in _opened.values():
            former.close()
        _opened.clear()
        _opened[name] = Context(Library(_settings(settings)), for_each=in_turn)
    return _opened[name]


def _settings(values: Mapping[str, str]) -> Settings:
    """Return settings without the checks of those that work does not use, such as the addresses of databases."""
    kinds: dict[str, Any] = {name: field.annotation for name, field in Settings.model_fields.items()}
    typed = {name: TypeAdapter(kinds[name]).validate_python(values[name]) for name in _OF_WORK if name in values}
    return Settings.model_construct(home=Path(values["home"]), **typed)
