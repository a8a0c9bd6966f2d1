"""Opens databases and brings their schema up to date."""

from collections.abc import Callable

import sqlalchemy as sa

from mfcc_assets.errors import ConnectionLost, StoreError
from mfcc_assets.storage.sql.database import Database, reconnecting
from mfcc_assets.storage.sql.schema import REVISION, VERSIONS


def open_database(url: str, password: Callable[[], str] | None = None) -> Database:
    """Open a database and bring its schema up to date.

    Parameters
    ----------
    url, password
        Address and password, as for `Database`.

    Raises
    ------
    StoreError
        If the database cannot be reached, is locked for too long, or refuses.
    """
    database = Database(url, password)
    ensure_schema(database)
    return database


@reconnecting
def ensure_schema(database: Database) -> None:
    """Bring the schema of a database up to date. Nothing happens if it is the newest already.

    Raises
    ------
    StoreError
        If this user may not change the schema, or a newer version of this package made it.
    """
    if revision_of(database) != REVISION:
        # Alembic is imported only if there is something to upgrade, because it is slow to import.
        from mfcc_assets.storage.sql.migrations import upgrade

        upgrade(database)


def revision_of(database: Database) -> str | None:
    """Return the last migration of a database; None if there was none or it cannot be read."""
    try:
        with database.reading() as connection:
            return connection.execute(sa.select(VERSIONS.c.version_num)).scalar()
    except ConnectionLost:
        raise
    except StoreError:
        return None  # any other fault is reported by the upgrade
