"""The addresses for programs, whose answers are never pages."""

from flask import request


def is_for_programs() -> bool:
    """Return whether the address of the request is one for programs, whatever it says that it can read."""
    return request.path.startswith("/api/") or request.path == "/metrics"
