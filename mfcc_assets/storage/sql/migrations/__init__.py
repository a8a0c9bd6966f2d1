"""The migrations of the schema, one module each in ``versions``, and the function that runs them.

Only migrations and what runs them belong here. The present schema is in `mfcc_assets.storage.sql.schema`.

To change the schema, change that module and write the next file in ``versions``. A migration must not import the
schema, so that later changes leave it as it is. A test compares the two. All migrations run in one transaction.
"""

import threading
from io import StringIO
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from mfcc_assets.errors import ConnectionLost, StoreError
from mfcc_assets.storage.sql.database import Database, lacks_rights

DIALECTS = ("mssql", "postgresql", "sqlite")

LOCKS = {
    "postgresql": "SELECT pg_advisory_xact_lock(7381043255)",
    # The query begins the transaction that is to own the lock, as calling a procedure does not begin one.
    "mssql": "SET NOCOUNT ON; DECLARE @result INT; SELECT @result = COUNT(*) FROM sys.objects; "
    "EXEC @result = sp_getapplock @Resource = N'mfcc_assets', @LockMode = N'Exclusive', "
    "@LockOwner = N'Transaction', @LockTimeout = 600000; "
    "IF @result < 0 THROW 51000, N'another process has been upgrading the schema for ten minutes', 1;",
}
"""Statement that takes the lock for an upgrade, by the name of the dialect.

If several processes open a database at once, one upgrades it and the others wait for its transaction. A writer in
SQLite holds the lock already.
"""

# Alembic has one global context for the process.
_ONE_AT_A_TIME = threading.Lock()


def upgrade(database: Database) -> None:
    """Bring a database to the newest revision, unless another process does so first.

    Raises
    ------
    StoreError
        If this user may not change the schema, or a newer version of this package made it.
    """
    try:
        with _ONE_AT_A_TIME, database.writing() as connection:
            if connection.dialect.name in LOCKS:
                connection.exec_driver_sql(LOCKS[connection.dialect.name])
            _check_not_newer(connection, database)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except ConnectionLost:
        raise
    except StoreError as error:
        if lacks_rights(error.__cause__):
            raise StoreError(
                "the schema is not the newest, and this user may not change it",
                subject=database.name,
                remedy="Run `mfcc database upgrade` with the address of the database's owner",
            ) from error
        raise


def script(dialect: str) -> str:
    """Return the statements that make the newest schema in an empty database, for its owner to read."""
    written = StringIO()
    with _ONE_AT_A_TIME:
        config = _config(written)
        config.attributes["dialect"] = dialect
        command.upgrade(config, "head", sql=True)
    return written.getvalue()


def _check_not_newer(connection: Connection, database: Database) -> None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"a newer version of mfcc-assets made its schema, {revision}",
            subject=database.name,
            remedy="Install that version here too",
        )


def _config(output: StringIO | None = None) -> Config:
    config = Config(output_buffer=output) if output else Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config
