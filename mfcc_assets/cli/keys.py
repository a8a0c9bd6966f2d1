"""`mfcc keys`: the keys by which users and programs call the library over the network."""

from dataclasses import asdict

import click
from rich.table import Table

from mfcc_assets.cli.console import json_option, print_json
from mfcc_assets.cli.listing import open_list_console, unbroken_column
from mfcc_assets.library import Library
from mfcc_assets.texts import printable


@click.group()
def keys() -> None:
    """Make, list and revoke the keys of users and programs.

    A program sends its key with every request: see docs/api.md. A player takes it as its API key, or as its password.
    """


@keys.command(name="list")
@json_option
@click.pass_obj
def list_keys(library: Library, as_json: bool) -> None:
    """List the keys that are in use. Their texts are stored nowhere."""
    from mfcc_assets.pipeline.api_keys import keys_in_use

    in_use = keys_in_use(library)
    if as_json:
        print_json([asdict(key) for key in in_use])
        return
    console = open_list_console()
    if not in_use:
        console.print("There are no keys. `mfcc keys add NAME` makes one.")
        return
    table = Table(unbroken_column("id"), "name", "rights", "made")
    for key in in_use:
        rights = "operator" if key.is_operator else "listener"
        table.add_row(key.key_id, printable(key.name), rights, f"{key.created_at.astimezone():%Y-%m-%d %H:%M}")
    console.print(table)


@keys.command()
@click.argument("name")
@click.option("--operator", is_flag=True, help="Let it publish indexes and see everybody's uploads, too.")
@click.pass_obj
def add(library: Library, name: str, operator: bool) -> None:
    """Make a key for the user or program NAME, and print it.

    It is printed only once. Several keys may have the same name, for example one for each device of a user.
    """
    from mfcc_assets.pipeline.api_keys import make_key

    click.echo(make_key(library, name, is_operator=operator))
    click.echo("Keep it in a safe place: it is not shown again. `mfcc keys revoke` ends it.", err=True)


@keys.command()
@click.argument("key_id", metavar="ID")
@click.pass_obj
def revoke(library: Library, key_id: str) -> None:
    """End the key with this ID, which `mfcc keys list` shows."""
    from mfcc_assets.pipeline.api_keys import revoke_key

    revoked = revoke_key(library, key_id)
    click.echo(f"Key {revoked.key_id} of {printable(revoked.name)} is revoked. It opens nothing from now on.")
