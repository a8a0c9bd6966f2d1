"""Which requests come from music players. They carry a key of their own, and need neither log-in nor cookie."""

from flask import request

PLAYERS = "/rest"
"""Beginning of the addresses that music players call."""


def is_of_a_player() -> bool:
    """Return whether the request calls an address for music players."""
    return request.path.startswith(f"{PLAYERS}/")
