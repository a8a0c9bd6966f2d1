"""The header by which a server says when to ask again."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST_NUMBER = 32
"""Characters: the first of a longer one are as good as eternity."""


def seconds_asked(retry_after: str) -> float | None:
    """Seconds that a header ``Retry-After`` asks for, by a number or a date; None where it says neither."""
    try:
        return float(int(retry_after[:_LONGEST_NUMBER]))
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(retry_after).astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
