"""`mfcc database`: bring the schema of the tables to the newest, and say who may use them."""

from typing import TYPE_CHECKING
from uuid import UUID

import click

from mfcc_assets.library import Library

if TYPE_CHECKING:
    from mfcc_assets.storage.sql.grants import User


@click.group()
def database() -> None:
    """Look after the database of the tables, as its owner.

    MFCC_DATABASE_URL is the owner's address. Files of SQLite need none of this.
    """


@database.command()
@click.pass_obj
def upgrade(library: Library) -> None:
    """Bring the schema to the newest. Whatever opens the tables does so too, if its user may."""
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
    """Print the statements that make the schema in an empty database, to be read before they are run."""
    from mfcc_assets.storage.sql.migrations import script

    click.echo(script(dialect), nl=False)


@database.command()
@click.option("--writer", "writers", multiple=True, metavar="USER", help="May write rows: runs, the command line.")
@click.option("--reader", "readers", multiple=True, metavar="USER", help="May read recommendations: pages, reports.")
@click.pass_obj
def grant(library: Library, writers: tuple[str, ...], readers: tuple[str, ...]) -> None:
    """Make or renew the roles mfcc_writer and mfcc_reader, and add users to them.

    In Azure SQL, users are managed identities, which are made users of the database. Write one as NAME=CLIENT_ID, or as
    NAME where the server may look it up in the directory. In PostgreSQL users must exist, and are written as NAME.
    """
    from mfcc_assets.storage.sql.grants import READER, WRITER, grant_access

    tables = library.database
    grant_access(tables, writers=[_user(writer) for writer in writers], readers=[_user(reader) for reader in readers])
    for role, users in ((WRITER, writers), (READER, readers)):
        click.echo(f"{role} has its rights in {tables.name}{', and so have ' if users else ''}{', '.join(users)}.")


def _user(written: str) -> "User":
    from mfcc_assets.storage.sql.grants import User

    name, _, client_id = written.rpartition("=")
    try:
        return User(name, UUID(client_id)) if name else User(written)
    except ValueError:
        return User(written)  # a name may have such a sign of its own
