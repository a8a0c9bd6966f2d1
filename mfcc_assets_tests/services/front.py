"""The whole front as listeners meet it: the server of the pages, and Dagster's daemon, which records the answers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mfcc_assets.defs.launch import running_daemon
from mfcc_assets.settings import Settings
from mfcc_assets_tests.services.web import running_web

ROOMY = {"MFCC_WEB_FREE_GIGABYTES": "0", "MFCC_WEB_UPLOADS_PER_HOUR": "10000"}
"""Settings without the limits of the pages that depend on this machine, or that one address of many tests exceeds."""


@contextmanager
def running_front(settings: Settings, log: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve the pages of a library and answer its uploads until the end of the ``with``. Yield the address.

    Parameters
    ----------
    settings
        Settings of the library.
    log
        File for the output of the server of the pages.
    environment
        Further settings of the server.
    """
    with running_daemon(settings), running_web(settings.home, log, {**ROOMY, **(environment or {})}) as address:
        yield address
