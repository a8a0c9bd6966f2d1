"""Why a call of a player fails, as the protocol numbers it."""

from enum import IntEnum


class Code(IntEnum):
    """The numbers of the protocol."""

    GENERIC = 0
    MISSING_PARAMETER = 10
    WRONG_CREDENTIALS = 40
    UNSUPPORTED_CREDENTIALS = 42
    CONFLICTING_CREDENTIALS = 43
    INVALID_KEY = 44
    NOT_AUTHORIZED = 50
    NOT_FOUND = 70


class CallFailed(Exception):
    """A call that is answered with a failure.

    Parameters
    ----------
    code
        Number of the failure.
    said
        A sentence for the person who uses the player.
    """

    def __init__(self, code: Code, said: str) -> None:
        super().__init__(said)
        self.code, self.said = code, said
