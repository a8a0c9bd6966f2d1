"""`make dev`: Dagster and the pages for listeners, side by side, until one of them ends or Ctrl-C ends both.

Like `mfcc_assets.defs.launch`, this module does not import Dagster itself.
"""

import sys

import click

from mfcc_assets.defs.launch import run_python
from mfcc_assets.settings import Settings

_ENDED_BY_CTRL_C = 130


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of Dagster's UI.")
@click.option("--web-port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port of the pages.")
def main(port: int, web_port: int) -> None:
    """Start Dagster with its daemon, and the pages, which link to the runs in Dagster's UI."""
    superseded = "ignore:Function `dev_command` is superseded"
    where = ["-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    dagster = ["-W", superseded, "-m", "dagster", "dev", *where, "--log-level", "warning"]
    pages = ["-c", "from mfcc_assets.cli.main import main; main()", "web", "--port", str(web_port)]
    address = Settings().dagster_url or f"http://127.0.0.1:{port}"
    try:
        code = run_python(dagster, pages, variables={"MFCC_DAGSTER_URL": address})
    except KeyboardInterrupt:
        code = _ENDED_BY_CTRL_C
    sys.exit(code)


if __name__ == "__main__":
    main()
