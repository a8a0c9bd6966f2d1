"""One library's stores, opened as the settings say: what assets, the command line and pages work on."""

from functools import cached_property
from types import TracebackType
from typing import Self

from mfcc_assets.core.catalogue import is_companion, shard_names
from mfcc_assets.core.errors import SettingsError
from mfcc_assets.core.evaluation import EVALUATED_PLACES
from mfcc_assets.core.ranking import ranking_named
from mfcc_assets.core.selection import considered
from mfcc_assets.settings import Settings
from mfcc_assets.stores.blobs import Blob, BlobStore
from mfcc_assets.stores.features import FeatureStore
from mfcc_assets.stores.indexes import IndexStore
from mfcc_assets.stores.library_index import IndexParameters
from mfcc_assets.stores.local_blobs import LocalBlobs
from mfcc_assets.stores.metadata import MetadataStore, SqliteDocuments
from mfcc_assets.stores.secrets import signing_key
from mfcc_assets.stores.tables import Tables


class Library:
    """The stores of one library, each opened when it is first used.

    Parameters
    ----------
    settings
        By default read from the environment.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the database back; everything is opened again when it is used again."""
        tables = self.__dict__.pop("tables", None)
        if tables is not None:
            tables.close()

    @cached_property
    def signing_key(self) -> bytes:
        return signing_key(self.settings.folder)

    @cached_property
    def blobs(self) -> BlobStore:
        return LocalBlobs(self.settings.blobs, self.signing_key)

    @cached_property
    def documents(self) -> MetadataStore:
        return SqliteDocuments(self.settings.documents)

    @cached_property
    def tables(self) -> Tables:
        tables = Tables(self.settings.tables_url)
        digits = tables.shard_digits()
        if digits not in (None, self.settings.shard_digits):
            tables.close()
            raise SettingsError(
                f"its shards have {digits} digits, and MFCC_SHARD_DIGITS says {self.settings.shard_digits}",
                subject=f"the library in {self.settings.folder}",
                remedy=f"Set MFCC_SHARD_DIGITS={digits}, or begin another library in another MFCC_HOME",
            )
        return tables

    @cached_property
    def features(self) -> FeatureStore:
        return FeatureStore(self.blobs)

    @cached_property
    def indexes(self) -> IndexStore:
        return IndexStore(self.blobs)

    @property
    def shards(self) -> list[str]:
        return shard_names(self.settings.shard_digits)

    @property
    def index_parameters(self) -> IndexParameters:
        """What the next index is built for.

        Raises
        ------
        UnknownRanking
            The settings name a ranking that is not there.
        """
        ranking_named(self.settings.ranking)
        places = considered(max(self.settings.recommendations, EVALUATED_PLACES))
        return IndexParameters(self.settings.features, self.settings.ranking, places)

    def soundtrack_files(self) -> dict[str, Blob]:
        """Every file of music in the container, by name."""
        return {blob.name: blob for blob in self.blobs.list("soundtracks") if not is_companion(blob.name)}
