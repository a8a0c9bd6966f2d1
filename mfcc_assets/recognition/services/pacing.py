"""When a service may be asked: not too often, and not while it is down."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

Clock = Callable[[], float]
"""Seconds that only go forward."""


@dataclass(frozen=True)
class Timing:
    """How long a listener waits for one service, and by which clock. Tests have one of their own.

    Attributes
    ----------
    patience_seconds
        After so long in all the next service is asked.
    """

    patience_seconds: float = 20.0
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Pace:
    """Lets so many requests go a second, evenly, however many threads ask.

    Parameters
    ----------
    a_second
        Most requests a second.
    """

    def __init__(self, a_second: float, clock: Clock) -> None:
        self._interval = 1 / a_second
        self._clock = clock
        self._next = clock()
        self._lock = Lock()

    def seconds_to_turn(self) -> float:
        """How long whoever takes the next turn waits for it."""
        with self._lock:
            return max(0.0, self._next - self._clock())

    def take_turn(self, most_seconds: float) -> float | None:
        """How many seconds to wait for one's turn; None, and no turn is taken, where that is longer than one may."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            if turn - now > most_seconds:
                return None
            self._next = turn + self._interval
            return turn - now


class CircuitBreaker:
    """Leaves a service alone after several failures in a row: every listener would wait for it in vain.

    After a rest one request is let through. If it succeeds, all are; if not, the service rests again.

    Parameters
    ----------
    most_failures
        In a row.
    rest_seconds
        For which nobody asks.
    """

    def __init__(self, most_failures: int, rest_seconds: float, clock: Clock) -> None:
        self._most_failures = most_failures
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._failures = 0
        self._rests_until = 0.0
        self._lock = Lock()

    def admits(self) -> bool:
        """Whether the service may be asked now. Who is admitted reports `succeeded` or `failed`."""
        with self._lock:
            if self._failures < self._most_failures:
                return True
            now = self._clock()
            if now < self._rests_until:
                return False
            # Others wait for what comes of this one; should it never report, another goes after the next rest.
            self._rests_until = now + self._rest_seconds
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            self._rests_until = self._clock() + self._rest_seconds
