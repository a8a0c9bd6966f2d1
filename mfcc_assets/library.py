"""One library's stores, opened as the settings say: what assets, the command line and pages work on."""

from functools import cached_property
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from mfcc_assets.errors import SettingsError
from mfcc_assets.ids import shard_names
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import BlobStore
from mfcc_assets.storage.documents.port import DocumentStore
from mfcc_assets.storage.documents.sqlite import SqliteDocuments
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets.storage.index_store import IndexStore
from mfcc_assets.storage.ranking_store import RankingStore
from mfcc_assets.storage.secrets.cached import CachedSecrets
from mfcc_assets.storage.secrets.environment import EnvironmentSecrets
from mfcc_assets.storage.secrets.port import SecretSource
from mfcc_assets.storage.secrets.signing_key import shared_signing_key, signing_key
from mfcc_assets.storage.sql.tables import Tables

if TYPE_CHECKING:
    from mfcc_assets.recognition.services.registry import RecognitionServices

_Store = TypeVar("_Store")


class _opened(cached_property[_Store]):  # noqa: N801  a decorator
    """A store that is opened when it is first asked for, and once: since Python 3.12 `cached_property` has no lock."""

    @overload
    def __get__(self, library: None, owner: type[Any] | None = None) -> Self: ...

    @overload
    def __get__(self, library: object, owner: type[Any] | None = None) -> _Store: ...

    def __get__(self, library: Any, owner: type[Any] | None = None) -> Self | _Store:
        if library is None:
            return self
        with library.opening:
            store: _Store = super().__get__(library, owner)
        return store


class Library:
    """The stores of one library, each opened when it is first used.

    Parameters
    ----------
    settings
        By default read from the environment.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.opening = RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give back what is connected; everything is opened again when it is used again."""
        for name in ("indexes", "pairs", "features"):
            self.__dict__.pop(name, None)
        for name in ("services", "tables", "documents", "blobs", "secrets"):
            opened = self.__dict__.pop(name, None)
            if opened is not None:
                opened.close()

    @_opened
    def secrets(self) -> SecretSource:
        settings = self.settings
        if not settings.key_vault_url:
            return EnvironmentSecrets(settings.secrets_environment)
        from mfcc_assets.storage.secrets.azure_identity import process_identity
        from mfcc_assets.storage.secrets.key_vault import open_key_vault

        vault = open_key_vault(settings.key_vault_url, process_identity())
        return CachedSecrets(vault, settings.secret_seconds)

    @_opened
    def signing_key(self) -> bytes:
        """Makes ids of uploads unguessable, and signs links to local blobs."""
        if self.settings.profile == "azure":
            return shared_signing_key(self.secrets)
        return signing_key(self.settings.folder)

    @_opened
    def blobs(self) -> BlobStore:
        settings = self.settings
        if settings.profile == "local":
            return LocalBlobs(settings.blobs, self.signing_key)
        from mfcc_assets.storage.blobs.azure import AzureBlobs
        from mfcc_assets.storage.secrets.azure_identity import credential_for

        credential = credential_for(self.secrets, settings.blob_key_secret)
        return AzureBlobs(settings.blob_url, credential, settings.cache, settings.cache_bytes)

    @_opened
    def documents(self) -> DocumentStore:
        settings = self.settings
        if settings.profile == "local":
            return SqliteDocuments(settings.documents, retention_seconds=settings.retention_seconds)
        from mfcc_assets.storage.documents.cosmos import CosmosDocuments
        from mfcc_assets.storage.secrets.azure_identity import credential_for

        credential = credential_for(self.secrets, settings.cosmos_key_secret)
        return CosmosDocuments(
            settings.cosmos_url, credential, settings.cosmos_database, retention_seconds=settings.retention_seconds
        )

    @_opened
    def tables(self) -> Tables:
        password_secret = self.settings.database_password_secret
        password = (lambda: self.secrets.get(password_secret)) if password_secret else None
        tables = Tables(self.settings.tables_url, password)
        digits = tables.shard_digits()
        if digits not in (None, self.settings.shard_digits):
            tables.close()
            raise SettingsError(
                f"its shards have {digits} digits, and MFCC_SHARD_DIGITS says {self.settings.shard_digits}",
                subject=f"the library in {self.settings.folder}",
                remedy=f"Set MFCC_SHARD_DIGITS={digits}, or begin another library in another MFCC_HOME",
            )
        return tables

    @_opened
    def services(self) -> "RecognitionServices":
        """They count how often each service is asked, for all threads."""
        from mfcc_assets.recognition.services.registry import RecognitionServices

        settings = self.settings
        return RecognitionServices(
            self.secrets,
            audd_url=settings.audd_url,
            acrcloud_url=settings.acrcloud_url,
            acoustid_url=settings.acoustid_url,
        )

    @_opened
    def features(self) -> FeatureStore:
        return FeatureStore(self.blobs)

    @_opened
    def indexes(self) -> IndexStore:
        return IndexStore(self.blobs)

    @_opened
    def pairs(self) -> RankingStore:
        return RankingStore(self.blobs)

    @property
    def shards(self) -> list[str]:
        return shard_names(self.settings.shard_digits)
