"""Places of which no sender has many."""

from collections import Counter
from collections.abc import Callable
from threading import Lock

from mfcc_assets.web.security.addresses import is_this_machine, sender_of


class Places:
    """Gives places to senders.

    Parameters
    ----------
    most
        Number of places.
    most_of_a_sender
        Largest number of places that one sender has at the same time.

    Examples
    --------
    >>> places = Places(3, 1)
    >>> leave = places.take("192.0.2.1")
    >>> places.take("192.0.2.1") is None, places.take("192.0.2.2") is None
    (True, False)
    """

    def __init__(self, most: int, most_of_a_sender: int) -> None:
        self._most, self._most_of_a_sender = most, most_of_a_sender
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    def _has_enough(self, address: str, sender: str) -> bool:
        return self._taken[sender] >= self._most_of_a_sender and not is_this_machine(address)

    def take(self, address: str) -> Callable[[], None] | None:
        """Take a place, and return a function that gives it back, also if it is called twice; None if there is none."""
        sender = sender_of(address)
        with self._lock:
            if self._taken.total() >= self._most or self._has_enough(address, sender):
                return None
            self._taken[sender] += 1
        is_taken = True

        def leave() -> None:
            nonlocal is_taken
            with self._lock:
                if is_taken:
                    is_taken = False
                    self._taken[sender] -= 1
                    if not self._taken[sender]:
                        del self._taken[sender]

        return leave
