"""Pacing: a limit on the rate of requests to a service, and a pause after it has failed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

Clock = Callable[[], float]
"""Returns seconds that never go backwards."""


@dataclass(frozen=True)
class Timing:
    """Clock and time limit of the services. Tests supply a clock of their own.

    Attributes
    ----------
    patience_seconds
        Longest total time that a listener waits for one service before the next one is tried.
    clock
        Clock that measures the waiting time.
    sleep
        Waits for a number of seconds.
    """

    patience_seconds: float = 20.0
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Pace:
    """Spaces requests evenly in time, for any number of threads.

    Parameters
    ----------
    requests_per_second
        Maximum rate of requests.
    clock
        Clock that measures the spacing.
    """

    def __init__(self, requests_per_second: float, clock: Clock) -> None:
        self._interval = 1 / requests_per_second
        self._clock = clock
        self._next = clock()
        self._lock = Lock()

    def seconds_to_turn(self) -> float:
        """Return how many seconds a request would have to wait, without taking a turn."""
        with self._lock:
            return max(0.0, self._next - self._clock())

    def take_turn(self, longest_wait: float) -> float | None:
        """Take the next turn and return how many seconds to wait for it.

        Return None and take no turn if the wait would exceed `longest_wait` seconds.
        """
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            if turn - now > longest_wait:
                return None
            self._next = turn + self._interval
            return turn - now


class CircuitBreaker:
    """Blocks requests to a service that has failed several times in a row, so that listeners do not wait in vain.

    After a rest, one request is let through. If it succeeds, all requests are admitted again. If it fails, the service
    rests again.

    Parameters
    ----------
    maximum_failures
        Number of failures in a row after which requests are blocked.
    rest_seconds
        Time for which requests are blocked.
    clock
        Clock that measures the rest.
    """

    def __init__(self, maximum_failures: int, rest_seconds: float, clock: Clock) -> None:
        self._maximum_failures = maximum_failures
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._failures = 0
        self._rests_until = 0.0
        self._lock = Lock()

    def admits(self) -> bool:
        """Return whether a request may be sent now. The caller then reports `succeeded` or `failed`."""
        with self._lock:
            if self._failures < self._maximum_failures:
                return True
            now = self._clock()
            if now < self._rests_until:
                return False
            # The other requests wait for the result of this one. If it is never reported, another request is let
            # through after the next rest.
            self._rests_until = now + self._rest_seconds
            return True

    def succeeded(self) -> None:
        """Report that a request succeeded."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """Report that a request failed."""
        with self._lock:
            self._failures += 1
            self._rests_until = self._clock() + self._rest_seconds
