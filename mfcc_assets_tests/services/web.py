"""The server of the pages, as `mfcc web` starts it."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mfcc_assets_tests.services.processes import accepts_connections, free_port, running_server


@contextmanager
def running_web(home: Path, log: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve the pages of the library in a home until the end of the ``with``, and yield their address.

    Parameters
    ----------
    home
        Home of the library.
    log
        File for the output of the server.
    environment
        Further settings.
    """
    port = free_port()
    command = [sys.executable, "-c", "from mfcc_assets.cli.main import main; main()", "web", "--port", str(port)]
    settings = {"MFCC_HOME": str(home), **(environment or {})}
    with running_server(command, log, lambda: accepts_connections(port), environment=settings):
        yield f"http://127.0.0.1:{port}"
