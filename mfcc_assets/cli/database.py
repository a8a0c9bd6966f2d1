"""`mfcc database`: upgrade the schema of the database, and grant access to it."""

from typing import TYPE_CHECKING
from uuid import UUID

import click

from mfcc_assets.library import Library

if TYPE_CHECKING:
    from mfcc_assets.storage.sql.grants import User


@click.group()
def database() -> None:
    """Upgrade the database and grant access to it, as its owner.

    MFCC_DATABASE_URL holds the owner's address. SQLite files need none of this.
    """


@database.command()
@click.pass_obj
def upgrade(library: Library) -> None:
    """Bring the schema to its newest revision.

    Every process that opens the database does so too, if its user may.
    """
    from mfcc_assets.storage.sql.revisions import revision_of

    tables = library.database
    click.echo(f"{tables.name} has schema {revision_of(tables)}, the newest.")


@database.command()
@click.option(
    "--dialect",
    type=click.Choice(("mssql", "postgresql", "sqlite")),
    required=True,
    help="mssql: SQL Server and Azure SQL.",
)
def sql(dialect: str) -> None:
    """Print the SQL that makes the schema in an empty database.

    You can read it before you run it.
    """
    from mfcc_assets.storage.sql.migrations import script

    click.echo(script(dialect), nl=False)


@database.command()
@click.option("--writer", "writers", multiple=True, metavar="USER", help="May write rows: runs, the command line.")
@click.option(
    "--reader", "readers", multiple=True, metavar="USER", help="May read recommendations: applications, reports."
)
@click.option("--pages", "pages", multiple=True, metavar="USER", help="May read lists and rejects: the web pages.")
@click.pass_obj
def grant(library: Library, writers: tuple[str, ...], readers: tuple[str, ...], pages: tuple[str, ...]) -> None:
    """Let users write or read the tables.

    The roles mfcc_writer, mfcc_reader and mfcc_pages are made or renewed, and the users are added to them.

    In Azure SQL a user is a managed identity, which becomes a user of the database. Write NAME=CLIENT_ID, or only NAME
    if the server may look it up in the directory. In PostgreSQL a user must exist already. Write NAME.
    """
    from mfcc_assets.storage.sql.grants import PAGES, READER, WRITER, grant_access

    tables = library.database
    grant_access(
        tables,
        writers=[_user(user) for user in writers],
        readers=[_user(user) for user in readers],
        pages=[_user(user) for user in pages],
    )
    for role, users in ((WRITER, writers), (READER, readers), (PAGES, pages)):
        click.echo(f"{role} has its rights in {tables.name}{', and so have ' if users else ''}{', '.join(users)}.")


def _user(written: str) -> "User":
    from mfcc_assets.storage.sql.grants import User

    name, _, client_id = written.rpartition("=")
    try:
        return User(name, UUID(client_id)) if name else User(written)
    except ValueError:
        return User(written)  # a name may contain an equals sign
