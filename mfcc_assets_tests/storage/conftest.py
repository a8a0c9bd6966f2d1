"""Stores that several test modules use."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from mfcc_assets.storage.blobs.azure import AzureBlobs
from mfcc_assets.storage.blobs.in_place import InPlaceBlobs
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.music_folders import MusicFolders
from mfcc_assets.storage.documents.cosmos import CosmosDocuments
from mfcc_assets.storage.documents.sqlite import SqliteDocuments
from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.database import Database
from mfcc_assets.storage.sql.recommendations import Recommendations
from mfcc_assets.storage.sql.revisions import open_database
from mfcc_assets_tests.services.azurite import Azurite, Identity, running_azurite
from mfcc_assets_tests.services.cosmos import CosmosServer, running_cosmos
from mfcc_assets_tests.services.postgres import TEMPLATE, Postgres
from mfcc_assets_tests.storage.blobs.samples import KEY

if TYPE_CHECKING:
    from mfcc_assets.storage.secrets.key_vault import KeyVaultSecrets
    from mfcc_assets_tests.services.key_vault import VaultDouble

DATABASES = ["sqlite_url", "postgresql_url"]


@pytest.fixture
def local_blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "blobs", lambda: KEY)


@pytest.fixture
def in_place_blobs(tmp_path: Path) -> InPlaceBlobs:
    """Open local blobs with a folder in place that has no music yet: ``music`` beside the library."""
    home, folder = tmp_path / "in place", tmp_path / "music"
    folder.mkdir(exist_ok=True)
    folders = MusicFolders(home, home / "blobs/soundtracks")
    folders.add([folder])
    return InPlaceBlobs(home / "blobs", lambda: KEY, folders)


@pytest.fixture(scope="session")
def azurite_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("azurite with tls") / "ca.pem"


@pytest.fixture(scope="session")
def azurite_with_tls(azurite_ca: Path) -> Iterator[Azurite]:
    with running_azurite(azurite_ca.parent, tls=True) as server:
        yield server


@pytest.fixture
def azure_blobs_by_key(azurite: Azurite, tmp_path: Path) -> Iterator[AzureBlobs]:
    with closing(AzureBlobs(azurite.new_url(), lambda: azurite.key, tmp_path / "cache", 10**9)) as blobs:
        yield blobs


@pytest.fixture
def azure_blobs_by_identity(
    azurite_with_tls: Azurite, azurite_ca: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AzureBlobs]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(azurite_ca))
    with closing(AzureBlobs(azurite_with_tls.new_url(), Identity(), tmp_path / "cache", 10**9)) as blobs:
        yield blobs


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'new folder/tables.sqlite'}"


@pytest.fixture
def owner_url(postgres: Postgres) -> Iterator[str]:
    """Address of a PostgreSQL database with the schema, for its owner."""
    with postgres.database(TEMPLATE) as name:
        yield postgres.url(name)


@pytest.fixture
def postgresql_url(owner_url: str) -> str:
    """Address of the same database for a user who may only write rows: runs need no other right."""
    return sa.make_url(owner_url).set(username="clerk").render_as_string(hide_password=False)


@pytest.fixture
def empty_postgresql_url(postgres: Postgres) -> Iterator[str]:
    """Address of an empty PostgreSQL database, for its owner."""
    with postgres.database() as name:
        yield postgres.url(name)


@pytest.fixture(params=["sqlite_url", "empty_postgresql_url"])
def empty_url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(request.param)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An empty database with the newest schema."""
    with closing(open_database(url)) as database:
        yield database


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    return Catalogue(database)


@pytest.fixture
def recommendations(database: Database) -> Recommendations:
    return Recommendations(database)


@pytest.fixture
def vault_secrets(vault: "VaultDouble") -> "Iterator[KeyVaultSecrets]":
    from mfcc_assets.storage.secrets.key_vault import KeyVaultSecrets

    with closing(KeyVaultSecrets(vault.client())) as secrets:
        yield secrets


@pytest.fixture
def open_sqlite_documents(tmp_path: Path) -> Callable[..., SqliteDocuments]:
    return partial(SqliteDocuments, tmp_path / "new folder/metadata.sqlite")


@pytest.fixture(scope="session")
def cosmos_server_with_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CosmosServer]:
    with running_cosmos(tmp_path_factory.mktemp("cosmos with tls"), tls=True) as server:
        yield server


@pytest.fixture
def cosmos_database(cosmos_server: CosmosServer) -> str:
    """Name of a database that does not exist yet, on a server without faults."""
    cosmos_server.befall()
    return f"test-{secrets.token_hex(4)}"


@pytest.fixture
def open_cosmos_documents(
    cosmos_server: CosmosServer, cosmos_database: str
) -> Iterator[Callable[..., CosmosDocuments]]:
    with ExitStack() as opened:

        def open_documents(*, retention_seconds: int | None = None, **options: Any) -> CosmosDocuments:
            documents = CosmosDocuments(
                cosmos_server.url,
                lambda: cosmos_server.key,
                cosmos_database,
                retention_seconds=retention_seconds,
                **options,
            )
            return opened.enter_context(closing(documents))

        yield open_documents
