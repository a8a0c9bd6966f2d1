"""The cloud's twin: Azurite keeps the blobs, the Cosmos server the documents, PostgreSQL the tables."""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mfcc_assets.storage.secrets.environment import variable_of
from mfcc_assets_tests.services.azurite import Azurite, running_azurite
from mfcc_assets_tests.services.cosmos import CosmosServer, running_cosmos
from mfcc_assets_tests.services.postgres import OWNER, Postgres, running_postgres


@dataclass(frozen=True)
class Twin:
    """Servers that run, for any number of libraries."""

    azurite: Azurite
    cosmos: CosmosServer
    postgres: Postgres

    @contextmanager
    def library(self, home: Path, *, blob_port: int | None = None) -> Iterator["TwinLibrary"]:
        """An account, a database of documents and one of tables, in which there is nothing yet.

        Parameters
        ----------
        home
            Of the library.
        blob_port
            That of a proxy before Azurite.
        """
        with self.postgres.database() as database:
            addresses = {
                "MFCC_PROFILE": "azure",
                "MFCC_HOME": str(home),
                "DAGSTER_HOME": str(home / "dagster"),
                "MFCC_BLOB_URL": self.azurite.new_url(blob_port),
                "MFCC_BLOB_KEY_SECRET": "blob-key",
                "MFCC_COSMOS_URL": self.cosmos.url,
                "MFCC_COSMOS_DATABASE": database,
                "MFCC_COSMOS_KEY_SECRET": "cosmos-key",
                "MFCC_DATABASE_URL": f"postgresql+psycopg2://{OWNER}@127.0.0.1:{self.postgres.port}/{database}",
                "MFCC_DATABASE_PASSWORD_SECRET": "database-password",
            }
            yield TwinLibrary(
                addresses,
                secrets={
                    "blob-key": self.azurite.key,
                    "cosmos-key": self.cosmos.key,
                    "database-password": self.postgres.password,
                    "signing-key": secrets.token_hex(32),
                },
            )


@dataclass(frozen=True)
class TwinLibrary:
    """Where a library lies on the twin, by the variables that name it, and the secrets that open it."""

    addresses: dict[str, str]
    secrets: dict[str, str]

    @property
    def variables(self) -> dict[str, str]:
        """What a process needs in its environment to work on this library."""
        return self.addresses | {variable_of(name): secret for name, secret in self.secrets.items()}

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.variables}


@contextmanager
def running_twin(folder: Path) -> Iterator[Twin]:
    """Start the three servers; what they hold ends with them."""
    with ExitStack() as servers:
        yield Twin(
            servers.enter_context(running_azurite(folder)),
            servers.enter_context(running_cosmos(folder)),
            servers.enter_context(running_postgres()),
        )
