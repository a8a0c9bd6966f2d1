"""Databases with the newest schema: whoever opens one gets it."""

from collections.abc import Callable

import sqlalchemy as sa

from mfcc_assets.errors import ConnectionLost, StoreError
from mfcc_assets.storage.sql.database import Database, reconnecting
from mfcc_assets.storage.sql.schema import REVISION, VERSIONS


def open_database(url: str, password: Callable[[], str] | None = None) -> Database:
    """Open a database, and bring its schema to the newest where it is another.

    Parameters
    ----------
    url, password
        As `Database` takes them.

    Raises
    ------
    StoreError
        The database cannot be reached, is locked for too long, or refuses.
    """
    database = Database(url, password)
    ensure_schema(database)
    return database


@reconnecting
def ensure_schema(database: Database) -> None:
    """Bring a database to the newest schema, if it has another.

    Raises
    ------
    StoreError
        If the database refuses: this user may not change the schema, or a newer version of this package made it.
    """
    if revision_of(database) != REVISION:
        from mfcc_assets.storage.sql.migrations import upgrade

        upgrade(database)


def revision_of(database: Database) -> str | None:
    """The last migration that a database had; None if it had none that can be seen."""
    try:
        with database.reading() as connection:
            return connection.execute(sa.select(VERSIONS.c.version_num)).scalar()
    except ConnectionLost:
        raise
    except StoreError:
        return None  # what else is wrong with it will be said when it is upgraded
