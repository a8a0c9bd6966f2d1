"""Roles that let users of the database do what they need and nothing else.

mfcc_writer   may read and write the rows of every table, but change no table: for runs
mfcc_reader   may read the soundtracks and the view of recommendations: for applications and reports
mfcc_pages    may also read the lists themselves, the rejects and the API keys: for the web pages
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mfcc_assets.errors import StoreError
from mfcc_assets.storage.sql.database import Database, reconnecting
from mfcc_assets.storage.sql.schema import (
    API_KEYS,
    METADATA,
    RECOMMENDATIONS,
    RECOMMENDED_SHARDS,
    RECOMMENDED_SOUNDTRACKS,
    REJECTS,
    SOUNDTRACKS,
    VERSIONS,
)

WRITER = "mfcc_writer"
READER = "mfcc_reader"
PAGES = "mfcc_pages"
_EVERY_RIGHT = "SELECT, INSERT, UPDATE, DELETE"
_TABLES = [table.name for table in METADATA.sorted_tables]
_VIEWED = [RECOMMENDED_SOUNDTRACKS.name, VERSIONS.name]  # opening a database reads its schema version

_RIGHTS = {
    WRITER: {**dict.fromkeys(_TABLES, _EVERY_RIGHT), **dict.fromkeys(_VIEWED, "SELECT")},
    READER: dict.fromkeys([SOUNDTRACKS.name, *_VIEWED], "SELECT"),
    PAGES: dict.fromkeys(
        [
            *(table.name for table in (SOUNDTRACKS, RECOMMENDATIONS, RECOMMENDED_SHARDS, REJECTS, API_KEYS)),
            *_VIEWED,
        ],
        "SELECT",
    ),
}

_LONGEST_NAME = 128


@dataclass(frozen=True)
class User:
    """A user who gets a role.

    Attributes
    ----------
    name
        Name of the user.
    client_id
        Client id of a managed identity. With it, Azure SQL need not look up the identity, for which its server would
        need the role Directory Readers.
    """

    name: str
    client_id: UUID | None = None

    @property
    def origin(self) -> str:
        """The clause with which SQL Server makes the user."""
        if self.client_id is None:
            return "FROM EXTERNAL PROVIDER"
        return f"WITH SID = 0x{self.client_id.bytes_le.hex().upper()}, TYPE = E"


@reconnecting
def grant_access(
    database: Database, *, writers: Sequence[User], readers: Sequence[User], pages: Sequence[User]
) -> None:
    """Make missing roles, give them exactly their rights, and add users to them.

    Parameters
    ----------
    database
        Database, opened by its owner.
    writers, readers, pages
        Users of each role. In PostgreSQL they must exist. In Azure SQL they are managed identities or people of the
        tenant. Missing ones are made, for which the owner must be the Microsoft Entra administrator of the server.

    Raises
    ------
    StoreError
        If the database has no users, if a user does not exist, or if a name cannot be the name of a user.
    """
    for user in (*writers, *readers, *pages):
        _check_name(user.name, database)
    with database.writing() as connection:
        if connection.dialect.name not in STATEMENTS:
            raise StoreError(
                f"files of {connection.dialect.name} have no users",
                subject=database.name,
                remedy="Give access to the file by the permissions of its folder",
            )
        for role, users in ((WRITER, writers), (READER, readers), (PAGES, pages)):
            for statement in STATEMENTS[connection.dialect.name](connection, role, users):
                connection.exec_driver_sql(statement)


def _statements_of_sql_server(connection: Connection, role: str, users: Sequence[User]) -> Iterator[str]:
    yield f"IF DATABASE_PRINCIPAL_ID({_literal(role)}) IS NULL CREATE ROLE {_quoted(connection, role)}"
    yield from _rights(connection, role)
    for user in users:
        name = _quoted(connection, user.name)
        yield f"IF DATABASE_PRINCIPAL_ID({_literal(user.name)}) IS NULL CREATE USER {name} {user.origin}"
        yield f"ALTER ROLE {_quoted(connection, role)} ADD MEMBER {name}"


def _statements_of_postgresql(connection: Connection, role: str, users: Sequence[User]) -> Iterator[str]:
    if connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar() is None:
        yield f"CREATE ROLE {_quoted(connection, role)} NOLOGIN"
    schema = _quoted(connection, str(connection.execute(sa.text("SELECT current_schema()")).scalar()))
    # Before version 15 of PostgreSQL every user could make tables.
    yield f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {_quoted(connection, role)}"
    yield from _rights(connection, role)
    for user in users:
        yield f"GRANT {_quoted(connection, role)} TO {_quoted(connection, user.name)}"


STATEMENTS = {"mssql": _statements_of_sql_server, "postgresql": _statements_of_postgresql}
"""Functions that yield the statements for one role, by dialect."""


def _rights(connection: Connection, role: str) -> Iterator[str]:
    for table in (*_TABLES, *_VIEWED):
        name = _quoted(connection, table)
        yield f"REVOKE {_EVERY_RIGHT} ON {name} FROM {_quoted(connection, role)}"
        if table in _RIGHTS[role]:
            yield f"GRANT {_RIGHTS[role][table]} ON {name} TO {_quoted(connection, role)}"


def _check_name(name: str, database: Database) -> None:
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise StoreError(
            f"{name!r} cannot be the name of a user",
            subject=database.name,
            remedy=f"Use at most {_LONGEST_NAME} printable characters",
        )


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)


def _literal(text: str) -> str:
    # The driver reads % as the beginning of a parameter. SQLAlchemy doubles it in names, but not in this text.
    doubled = text.replace("'", "''").replace("%", "%%")
    return f"N'{doubled}'"
