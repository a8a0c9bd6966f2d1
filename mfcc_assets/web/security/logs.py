"""The log of the server, without the secrets that addresses hold: keys of players, and tokens of links."""

import logging
import re
from typing import TYPE_CHECKING

from gunicorn.glogging import Logger

if TYPE_CHECKING:
    from gunicorn.config import Config

_QUERY = re.compile(r"\?\S.*")
"""What follows the path of an address, to the end of the line: a wrong address can have spaces in it."""

_KEY = re.compile(r"mfcc_[0-9a-f]{16}_[\w-]+", re.ASCII)
"""A key of a user or program, wherever it stands."""


def without_secrets(text: str) -> str:
    r"""Return lines of a log without the queries of addresses, and without keys.

    Examples
    --------
    >>> without_secrets("Invalid request line: 'GET /rest/ping?u=anna b&p=ocean'\nnext line")
    "Invalid request line: 'GET /rest/ping?…\nnext line"
    """
    return _KEY.sub("mfcc_…", _QUERY.sub("?…", text))


class LogWithoutSecrets(Logger):
    """Gunicorn's log, of requests and of errors, whose lines have no secrets."""

    def setup(self, cfg: "Config") -> None:
        """Open the log as the settings say. Gunicorn calls this."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            if not isinstance(handler.formatter, _Formatter):
                handler.setFormatter(_Formatter(handler.formatter or logging.Formatter()))


class _Formatter(logging.Formatter):
    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(self._inner.format(record))
