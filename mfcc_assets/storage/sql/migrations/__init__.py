"""The history of the schema, and how a database is brought to its newest revision.

To change the schema: change `mfcc_assets.storage.sql.schema`, and write the next file in ``versions``, in statements
that later changes of the package leave as they are; a test tells where the two differ. All of it is one transaction.
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

# Processes that open a database at once: one upgrades it, the others wait for its transaction. A writer of SQLite holds
# the lock already.
_LOCK = {
    "postgresql": "SELECT pg_advisory_xact_lock(7381043255)",
    # The query begins the transaction that is to own the lock: calling a procedure begins none.
    "mssql": "SET NOCOUNT ON; DECLARE @result INT; SELECT @result = COUNT(*) FROM sys.objects; "
    "EXEC @result = sp_getapplock @Resource = N'mfcc_assets', @LockMode = N'Exclusive', "
    "@LockOwner = N'Transaction', @LockTimeout = 600000; "
    "IF @result < 0 THROW 51000, N'another process has been upgrading the schema for ten minutes', 1;",
}

# Alembic's context is one for the whole process.
_ONE_AT_A_TIME = threading.Lock()


def upgrade(database: Database) -> None:
    """Bring a database to the newest revision, or find that another process did.

    Raises
    ------
    StoreError
        If this user may not change the schema, or a newer version of this package made it.
    """
    try:
        with _ONE_AT_A_TIME, database.writing() as connection:
            if connection.dialect.name in _LOCK:
                connection.exec_driver_sql(_LOCK[connection.dialect.name])
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
    """The statements that make the newest schema in an empty database, for its owner to read."""
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
