"""`make dev`: Dagster and the pages for listeners, side by side, until one of them ends or Ctrl-C ends both.

Like `mfcc_assets.defs.launch`, this module does not import Dagster itself.
"""

import socket
import sys

import click

from mfcc_assets.defs.launch import run_python
from mfcc_assets.errors import MfccError, SettingsError
from mfcc_assets.settings import Settings

_ENDED_BY_CTRL_C = 130
_HOST = "127.0.0.1"
_LARGEST_PORT = 65_535


STARTS = """\
Dagster starts in about 20 seconds: open http://127.0.0.1:{port} then. Ctrl-C ends it and the pages.
The sensors answer what you copy into uploads. Below are warnings, errors, and what runs say of their work."""


@click.command()
@click.option("--port", default="3000", show_default=True, help="Port of Dagster's UI.")
@click.option("--web-port", default="8000", show_default=True, help="Port of the pages.")
def main(port: str, web_port: str) -> None:
    """Start Dagster with its daemon, and the pages, which link to the runs in Dagster's UI."""
    try:
        _check_number(port, "Dagster's UI", "PORT")
        _check_number(web_port, "the pages", "WEB_PORT")
        if int(port) == int(web_port):
            raise SettingsError(
                "Dagster's UI and the pages cannot have the same port", subject=port, remedy="Choose another WEB_PORT"
            )
        _check_free(port)
    except MfccError as error:
        sys.exit(str(error))
    click.echo(STARTS.format(port=port))
    superseded = "ignore:Function `dev_command` is superseded"
    where = ["-w", "workspace.yaml", "-h", _HOST, "-p", port]
    dagster = ["-W", superseded, "-m", "dagster", "dev", *where, "--log-level", "warning"]
    pages = ["-c", "from mfcc_assets.cli.main import main; main()", "web", "--port", web_port]
    address = Settings().dagster_url or f"http://{_HOST}:{port}"
    try:
        code = run_python(dagster, pages, variables={"MFCC_DAGSTER_URL": address})
    except KeyboardInterrupt:
        code = _ENDED_BY_CTRL_C
    sys.exit(code)


def _check_number(port: str, what: str, variable: str) -> None:
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= _LARGEST_PORT):
        raise SettingsError(
            f"the port of {what} must be a number from 1 to {_LARGEST_PORT}",
            subject=port,
            remedy=f"Choose one with `make dev {variable}=…`",
        )


def _check_free(port: str) -> None:
    """Raise `SettingsError` if the UI cannot be served at a port. Dagster would say so late, and its daemon run on."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((_HOST, int(port)))
        except OSError as error:
            raise SettingsError(
                f"Dagster's UI cannot be served there ({error.strerror})",
                subject=f"{_HOST}:{port}",
                remedy="End what uses it, or choose another port with `make dev PORT=…`",
            ) from error


if __name__ == "__main__":
    main()
