"""Signals that end a program."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

_EXIT_BY_SIGNAL = 128


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the ``with`` like an error, so that it ends the processes that it has started."""

    def end(number: int, _: object) -> NoReturn:
        raise SystemExit(_EXIT_BY_SIGNAL + number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread receives signals
        return
    former = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
