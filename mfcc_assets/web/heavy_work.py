"""Work of requests that keeps a processor busy for seconds, such as decoding a whole file, in bounded number."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Semaphore

from werkzeug.exceptions import ServiceUnavailable


class HeavyWork:
    """Lets a few threads work at once, a few wait for their turn, and refuses more.

    A thread that waits serves no other request. A thread that has a turn must not ask for another.

    Parameters
    ----------
    at_once
        Number of threads that work at the same time.
    most_waiting
        Number of threads that wait.
    """

    def __init__(self, at_once: int, most_waiting: int) -> None:
        self._turns, self._places = Semaphore(at_once), at_once + most_waiting
        self._lock = Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and have it inside the ``with``.

        Raises
        ------
        ServiceUnavailable
            If enough threads wait. The answer of the request then tells the browser to ask again later.
        """
        with self._lock:
            if not self._places:
                raise ServiceUnavailable
            self._places -= 1
        try:
            with self._turns:
                yield
        finally:
            with self._lock:
                self._places += 1
