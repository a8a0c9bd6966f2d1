"""A local twin of the cloud: Azurite for blobs, the Cosmos server for documents, and PostgreSQL for the database."""

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
    """Running servers, for any number of libraries."""

    azurite: Azurite
    cosmos: CosmosServer
    postgres: Postgres

    @contextmanager
    def library(self, home: Path, *, blob_port: int | None = None) -> Iterator["TwinLibrary"]:
        """Make a library with an empty storage account, an empty database of documents and an empty SQL database.

        Parameters
        ----------
        home
            Home folder of the library.
        blob_port
            Port of a proxy of Azurite, if there is one.
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
    """The environment variables that locate a library on the twin, and the secrets that open it."""

    addresses: dict[str, str]
    secrets: dict[str, str]

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that a process needs to work on this library."""
        return self.addresses | {variable_of(name): secret for name, secret in self.secrets.items()}

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.variables}


@contextmanager
def running_twin(folder: Path) -> Iterator[Twin]:
    """Run the three servers until the end of the ``with``. Their content is deleted."""
    with ExitStack() as servers:
        yield Twin(
            servers.enter_context(running_azurite(folder)),
            servers.enter_context(running_cosmos(folder)),
            servers.enter_context(running_postgres()),
        )
