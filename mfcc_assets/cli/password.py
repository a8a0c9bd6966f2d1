"""`mfcc password`: make the hash of the password of the pages."""

import sys

import click

from mfcc_assets.library import Library


@click.command()
@click.pass_obj
def password(library: Library) -> None:
    """Print the hash of a password for the web pages.

    The password is asked for, or read from the first line of the standard input. Store the hash in the secret that
    MFCC_WEB_PASSWORD_SECRET names, and set MFCC_WEB_LOGIN=password. A new hash, also of the same password, logs
    everybody out.
    """
    from mfcc_assets.storage.secrets.environment import variable_of
    from mfcc_assets.web.security.passwords import LEAST_CHARACTERS, hash_of

    if sys.stdin.isatty():
        chosen = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        chosen = sys.stdin.readline().rstrip("\r\n")
    if len(chosen) < LEAST_CHARACTERS:
        raise click.ClickException(f"A password has {LEAST_CHARACTERS} characters or more.")
    click.echo(hash_of(chosen))
    settings = library.settings
    if not settings.key_vault_url:
        # A shell would take the dollar signs of a hash for variables.
        where = variable_of(settings.web_password_secret)
        click.echo(f"Store it in the variable {where}, in single quotes.", err=True)
