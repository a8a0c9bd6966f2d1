"""The HTTP header ``Retry-After``, in which a server says when to try again."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST_NUMBER = 32
"""Number of characters that are read as a number. No wait needs more digits, and `int` refuses very long ones."""


def seconds_asked(retry_after: str) -> float | None:
    """Return the seconds that a header ``Retry-After`` asks a client to wait.

    Parameters
    ----------
    retry_after
        Value of the header, either a number of seconds or a date.

    Returns
    -------
    float or None
        Seconds from now on, negative if the date has passed. None if the value is neither a number nor a date.

    Examples
    --------
    >>> seconds_asked("120")
    120.0
    >>> seconds_asked("soon") is None
    True
    """
    try:
        return float(int(retry_after[:_LONGEST_NUMBER]))
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(retry_after).astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
