"""The stores of one library, opened as its settings say. Assets and the command line work on a library.

This module imports each store where it is opened, because a command that only prints its help should not wait for
databases and codecs.
"""

import hmac
from contextlib import ExitStack
from functools import cached_property
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar, overload, runtime_checkable

from mfcc_assets.errors import SettingsError
from mfcc_assets.extras import needs_extra
from mfcc_assets.ids import shard_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from mfcc_assets.audio.reader import AudioLimits
    from mfcc_assets.features.parameters import FeaturesParameters
    from mfcc_assets.recognition.services.registry import RecognitionServices
    from mfcc_assets.settings import Settings
    from mfcc_assets.storage.blobs.music_disks import MusicDisks
    from mfcc_assets.storage.blobs.music_folders import MusicFolders
    from mfcc_assets.storage.blobs.port import BlobStore
    from mfcc_assets.storage.calibration_figures import CalibrationFigures
    from mfcc_assets.storage.documents.port import DocumentStore
    from mfcc_assets.storage.feature_store import FeatureStore
    from mfcc_assets.storage.index_store import IndexStore
    from mfcc_assets.storage.ranking_store import RankingStore
    from mfcc_assets.storage.repair_log import RepairLog
    from mfcc_assets.storage.secrets.port import SecretSource
    from mfcc_assets.storage.shared_tables import SharedTables
    from mfcc_assets.storage.sql.added_files import AddedFiles
    from mfcc_assets.storage.sql.api_keys import ApiKeys
    from mfcc_assets.storage.sql.browsing import Browsing
    from mfcc_assets.storage.sql.catalogue import Catalogue
    from mfcc_assets.storage.sql.database import Database
    from mfcc_assets.storage.sql.player_lists import PlayerLists
    from mfcc_assets.storage.sql.recommendations import Recommendations

_Store = TypeVar("_Store")


@runtime_checkable
class _Closable(Protocol):
    def close(self) -> None: ...


class _opened(Generic[_Store]):  # noqa: N801  a decorator
    """A property that opens a store on its first use, and only once for all threads."""

    def __init__(self, open_store: "Callable[[Library], _Store]") -> None:
        self._open = open_store
        self._name = open_store.__name__

    @overload
    def __get__(self, library: None, owner: type[Any] | None = None) -> Self: ...

    @overload
    def __get__(self, library: "Library", owner: type[Any] | None = None) -> _Store: ...

    def __get__(self, library: "Library | None", owner: type[Any] | None = None) -> Self | _Store:
        if library is None:
            return self
        with library.opening:
            if self._name not in library.opened:
                library.opened[self._name] = self._open(library)
            store: _Store = library.opened[self._name]
        return store


class Library:
    """The stores of one library. Each store is opened on its first use.

    Parameters
    ----------
    settings
        Settings of the library. By default they are read from the environment when they are first used.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from mfcc_assets.settings import Settings
    >>> with TemporaryDirectory() as home, Library(Settings(home=Path(home))) as library:
    ...     library.catalogue.soundtracks()
    []
    """

    def __init__(self, settings: "Settings | None" = None) -> None:
        if settings is not None:
            self.settings = settings
        self.opening = RLock()
        self.opened: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all open stores. Each one is opened again on its next use."""
        with ExitStack() as closing, self.opening:
            # The stack closes the last store first, because a store may use those that were opened before it.
            for store in self.opened.values():
                if isinstance(store, _Closable):
                    closing.callback(store.close)
            self.opened.clear()

    @cached_property
    def settings(self) -> "Settings":
        """The settings of the library. Raises pydantic's ValidationError if the environment has unusable ones."""
        from mfcc_assets.settings import Settings

        return Settings()

    @_opened
    def secrets(self) -> "SecretSource":
        """The source of secrets: environment variables, or a Key Vault with a cache."""
        settings = self.settings
        if not settings.key_vault_url:
            from mfcc_assets.storage.secrets.environment import EnvironmentSecrets

            return EnvironmentSecrets(settings.environment)
        from mfcc_assets.storage.secrets.cached import CachedSecrets

        with needs_extra("keyvault", "Secrets in Azure Key Vault"):
            from mfcc_assets.storage.secrets.azure_identity import process_identity
            from mfcc_assets.storage.secrets.key_vault import open_key_vault

        vault = open_key_vault(settings.key_vault_url, process_identity())
        return CachedSecrets(vault, settings.secret_seconds)

    @_opened
    def signing_key(self) -> bytes:
        """The key that makes upload ids unguessable and signs links to local blobs."""
        from mfcc_assets.storage.secrets.signing_key import local_signing_key, shared_signing_key

        if self.settings.profile == "azure":
            return shared_signing_key(self.secrets)
        return local_signing_key(self.settings.folder)

    def key_for(self, use: str) -> bytes:
        """Return the key for one use, of 32 bytes. What was signed for one use is worth nothing for another.

        Parameters
        ----------
        use
            Name of the use, such as ``session``.
        """
        return hmac.digest(self.signing_key, use.encode(), "sha256")

    @_opened
    def blobs(self) -> "BlobStore":
        """The blobs: local folders, or a storage account on Azure."""
        settings = self.settings
        if settings.profile == "local":
            from mfcc_assets.storage.blobs.in_place import InPlaceBlobs

            return InPlaceBlobs(settings.blobs, lambda: self.signing_key, self.music_folders)
        with needs_extra("azure", "Blobs in Azure Storage"):
            from mfcc_assets.storage.blobs.azure import AzureBlobs
            from mfcc_assets.storage.secrets.azure_identity import credential_for

        credential = credential_for(self.secrets, settings.blob_key_secret)
        return AzureBlobs(settings.blob_url, credential, settings.cache, settings.cache_bytes)

    @_opened
    def music_folders(self) -> "MusicFolders":
        """The folders in place. Raises `SettingsError` if the library lies on Azure, which has none."""
        from mfcc_assets.storage.blobs.music_folders import MusicFolders
        from mfcc_assets.storage.blobs.port import SOUNDTRACKS

        settings = self.settings
        if settings.profile != "local":
            raise SettingsError(
                "a library on Azure cannot use folders in place",
                remedy="Copy the music with `mfcc add` without --in-place",
            )
        return MusicFolders(settings.folder, settings.blobs / SOUNDTRACKS, settings.music_folders)

    @_opened
    def music_disks(self) -> "MusicDisks":
        """What the home remembers of the disks that the soundtracks lie on."""
        from mfcc_assets.storage.blobs.music_disks import MusicDisks

        return MusicDisks(self.settings.folder)

    @_opened
    def documents(self) -> "DocumentStore":
        """The documents of uploads: a SQLite file, or Azure Cosmos DB."""
        settings = self.settings
        if settings.profile == "local":
            from mfcc_assets.storage.documents.sqlite import SqliteDocuments

            return SqliteDocuments(settings.documents, retention_seconds=settings.document_seconds)
        with needs_extra("azure", "Documents in Cosmos DB"):
            from mfcc_assets.storage.documents.cosmos import CosmosDocuments
            from mfcc_assets.storage.secrets.azure_identity import credential_for

        credential = credential_for(self.secrets, settings.cosmos_key_secret)
        return CosmosDocuments(
            settings.cosmos_url, credential, settings.cosmos_database, retention_seconds=settings.document_seconds
        )

    @_opened
    def database(self) -> "Database":
        """The database. Raises `SettingsError` if it was made with another number of shard digits."""
        from mfcc_assets.storage.sql.catalogue import Catalogue
        from mfcc_assets.storage.sql.revisions import open_database

        password_secret = self.settings.database_password_secret
        password = (lambda: self.secrets.get(password_secret)) if password_secret else None
        database = open_database(self.settings.tables_url, password)
        digits = Catalogue(database).shard_digits()
        if digits not in (None, self.settings.shard_digits):
            database.close()
            raise SettingsError(
                f"its shards have {digits} digits, and MFCC_SHARD_DIGITS says {self.settings.shard_digits}",
                subject=f"the library in {self.settings.folder}",
                remedy=f"Set MFCC_SHARD_DIGITS={digits}, or start another library in another MFCC_HOME",
            )
        return database

    @_opened
    def catalogue(self) -> "Catalogue":
        """The soundtracks, their audio, and the rejects."""
        from mfcc_assets.storage.sql.catalogue import Catalogue

        return Catalogue(self.database)

    @_opened
    def browsing(self) -> "Browsing":
        """The soundtracks as pages show them: sorted, filtered, searched, and page by page."""
        from mfcc_assets.storage.sql.browsing import Browsing

        return Browsing(self.database)

    @_opened
    def added_files(self) -> "AddedFiles":
        """The files that soundtracks were copied from."""
        from mfcc_assets.storage.sql.added_files import AddedFiles

        return AddedFiles(self.database)

    @_opened
    def api_keys(self) -> "ApiKeys":
        """The keys of users and programs."""
        from mfcc_assets.storage.sql.api_keys import ApiKeys

        return ApiKeys(self.database)

    @_opened
    def player_lists(self) -> "PlayerLists":
        """The artists, albums and songs as music players list them."""
        from mfcc_assets.storage.sql.player_lists import PlayerLists

        return PlayerLists(self.database)

    @_opened
    def recommendations(self) -> "Recommendations":
        """The lists of recommendations."""
        from mfcc_assets.storage.sql.recommendations import Recommendations

        return Recommendations(self.database)

    @_opened
    def services(self) -> "RecognitionServices":
        """The recognition services. One object counts the requests of all threads."""
        with needs_extra("recognition", "Recognition by a service"):
            from mfcc_assets.recognition.services.registry import RecognitionServices

        settings = self.settings
        return RecognitionServices(
            self.secrets,
            audd_url=settings.audd_url,
            acrcloud_url=settings.acrcloud_url,
            acoustid_url=settings.acoustid_url,
        )

    @_opened
    def repairs(self) -> "RepairLog":
        """What was damaged and repaired."""
        from mfcc_assets.storage.repair_log import RepairLog

        return RepairLog(self.blobs)

    @_opened
    def features(self) -> "FeatureStore":
        """The stored cepstra and track features."""
        from mfcc_assets.storage.feature_store import FeatureStore

        return FeatureStore(self.blobs)

    @_opened
    def indexes(self) -> "IndexStore":
        """The stored versions of the index."""
        from mfcc_assets.storage.index_store import IndexStore
        from mfcc_assets.storage.verified_parts import VerifiedParts

        return IndexStore(self.blobs, self._versions_that_recommend, VerifiedParts(self.settings.cache / "verified"))

    def _versions_that_recommend(self) -> list[str]:
        return self.recommendations.index_versions()

    @_opened
    def rankings(self) -> "RankingStore":
        """The stored candidates and rankings."""
        from mfcc_assets.storage.ranking_store import RankingStore

        return RankingStore(self.blobs)

    @_opened
    def tables(self) -> "SharedTables":
        """The stored tables that versions of the index share."""
        from mfcc_assets.storage.shared_tables import SharedTables

        return SharedTables(self.blobs)

    @_opened
    def figures(self) -> "CalibrationFigures":
        """The stored figures of calibrations."""
        from mfcc_assets.storage.calibration_figures import CalibrationFigures

        return CalibrationFigures(self.blobs)

    @property
    def shards(self) -> list[str]:
        """The names of all shards."""
        return shard_names(self.settings.shard_digits)

    @property
    def limits(self) -> "AudioLimits":
        """Limits of the audio that is accepted."""
        from mfcc_assets.audio.reader import AudioLimits

        return AudioLimits(min_seconds=self.settings.min_seconds, max_seconds=self.settings.max_seconds)

    @property
    def feature_parameters(self) -> "FeaturesParameters":
        """Parameters of the features."""
        from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters

        cepstra = CepstraParameters(fft_size=self.settings.fft_size)
        return FeaturesParameters(cepstra=cepstra, contour_rate=self.settings.contour_rate)
