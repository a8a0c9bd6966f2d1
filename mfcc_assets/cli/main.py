"""The group of all `mfcc` commands."""

import errno
import warnings
from typing import Any

import click

from mfcc_assets.cli.add import add
from mfcc_assets.cli.console import escape_what_cannot_be_printed, settings_sentences
from mfcc_assets.cli.database import database
from mfcc_assets.cli.doctor import doctor
from mfcc_assets.cli.evaluate import evaluate
from mfcc_assets.cli.explain import explain
from mfcc_assets.cli.index import index
from mfcc_assets.cli.keys import keys
from mfcc_assets.cli.library import show_library
from mfcc_assets.cli.password import password
from mfcc_assets.cli.path import path
from mfcc_assets.cli.playlist import playlist
from mfcc_assets.cli.purge import purge
from mfcc_assets.cli.recommend import recommend
from mfcc_assets.cli.remove import remove
from mfcc_assets.cli.show import show
from mfcc_assets.cli.status import status
from mfcc_assets.cli.sync import sync
from mfcc_assets.cli.uploads import uploads
from mfcc_assets.cli.versions import versions
from mfcc_assets.cli.watch import watch
from mfcc_assets.cli.web import web
from mfcc_assets.errors import MfccError
from mfcc_assets.garbage import spare_the_collector
from mfcc_assets.library import Library
from mfcc_assets.signals import ended_by_signals
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.texts import printable


class _MfccGroup(click.Group):
    """A group that prints errors and warnings as sentences, without tracebacks and lines of code."""

    def invoke(self, ctx: click.Context) -> Any:
        escape_what_cannot_be_printed()
        try:
            with warnings.catch_warnings(), ended_by_signals():
                warnings.showwarning = _print_warning
                return super().invoke(ctx)
        except click.ClickException as error:
            error.message = printable(error.message)  # type: ignore[misc]  # click has no other way
            raise
        except MfccError as error:
            raise click.ClickException(str(error)) from error
        except ValueError as error:
            from pydantic import ValidationError

            if isinstance(error, ValidationError):
                raise click.ClickException(settings_sentences(error)) from error
            raise
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # the reader of the output has ended, which click handles
            subject = f"{shown_name(str(error.filename))}: " if error.filename else ""
            raise click.ClickException(
                f"{subject}it cannot be read or written ({error.strerror or error}). "
                "Check its permissions, the disk's space, and MFCC_HOME."
            ) from error


def _print_warning(message: Warning | str, *_: object, **__: object) -> None:
    click.echo(f"Warning: {printable(str(message))}", err=True)


@click.group(cls=_MfccGroup)
@click.version_option(package_name="mfcc-assets")
@click.pass_context
def main(context: click.Context) -> None:
    """Recommend music by the audio itself.

    The library lies in the folder that MFCC_HOME names, by default mfcc_data.
    """
    spare_the_collector()
    context.obj = context.with_resource(Library())


_COMMANDS: tuple[click.Command, ...] = (
    add,
    sync,
    show_library,
    recommend,
    path,
    playlist,
    explain,
    versions,
    index,
    evaluate,
    database,
    purge,
    status,
    show,
    remove,
    uploads,
    watch,
    doctor,
    web,
    password,
    keys,
)
for _command in _COMMANDS:
    main.add_command(_command)
