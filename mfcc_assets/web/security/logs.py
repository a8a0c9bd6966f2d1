"""The log of the server, without the secrets that addresses hold: keys, tokens of links, and ids of uploads."""

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

_SHARED = re.compile(r"/shared/[\w-]+", re.ASCII)
_UPLOAD = re.compile(r"/uploads/[0-9a-f]{32}")
"""Whoever knows the token of a shared answer, or the id of an upload, may see it."""


def without_secrets(text: str) -> str:
    r"""Return lines of a log without the queries of addresses, keys, tokens of shared answers, and ids of uploads.

    Examples
    --------
    >>> without_secrets("Invalid request line: 'GET /rest/ping?u=anna b&p=ocean'\nnext line")
    "Invalid request line: 'GET /rest/ping?…\nnext line"
    """
    for secret, shown in ((_QUERY, "?…"), (_KEY, "mfcc_…"), (_SHARED, "/shared/…"), (_UPLOAD, "/uploads/…")):
        text = secret.sub(shown, text)
    return text


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
