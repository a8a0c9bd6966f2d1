"""The group of all `mfcc` commands."""

import errno
import importlib
import warnings
from collections import UserDict
from typing import Any

import click

from mfcc_assets.cli.console import escape_what_cannot_be_printed, settings_sentences
from mfcc_assets.errors import MfccError
from mfcc_assets.garbage import spare_the_collector
from mfcc_assets.library import Library
from mfcc_assets.signals import ended_by_signals
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.texts import printable

_FUNCTIONS = {"library": "show_library"}
"""Functions that have other names than their commands and modules."""


class _Commands(UserDict[str, click.Command]):
    """The commands by name. The module of a command is imported when it is first wanted, and not for another one."""

    def __getitem__(self, name: str) -> click.Command:
        if self.data[name] is _NOT_IMPORTED:
            module = importlib.import_module(f"mfcc_assets.cli.{name}")
            self.data[name] = getattr(module, _FUNCTIONS.get(name, name))
        return self.data[name]


_NOT_IMPORTED = click.Command(None)

_COMMANDS = _Commands(
    dict.fromkeys(
        (
            "add",
            "sync",
            "library",
            "recommend",
            "path",
            "playlist",
            "explain",
            "versions",
            "index",
            "evaluate",
            "database",
            "purge",
            "status",
            "show",
            "remove",
            "uploads",
            "watch",
            "doctor",
            "web",
            "password",
            "keys",
        ),
        _NOT_IMPORTED,
    )
)


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


@click.group(cls=_MfccGroup, commands=_COMMANDS)
@click.version_option(package_name="mfcc-assets")
@click.pass_context
def main(context: click.Context) -> None:
    """Recommend music by the audio itself.

    The library lies in the folder that MFCC_HOME names, by default mfcc_data.
    """
    spare_the_collector()
    context.obj = context.with_resource(Library())
