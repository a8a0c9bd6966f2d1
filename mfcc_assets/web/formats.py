"""How pages write times, sizes and dates: one way for each."""

from datetime import UTC, datetime

_MEGABYTE = 1e6


def clock(seconds: float | None) -> str:
    """Return a duration as players show it.

    Examples
    --------
    >>> clock(65.4), clock(3725), clock(None)
    ('1:05', '1:02:05', '')
    """
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def megabytes(count: float) -> str:
    """Return a number of bytes in megabytes.

    Examples
    --------
    >>> megabytes(300e6), megabytes(1_234_567), megabytes(12_000)
    ('300 MB', '1.2 MB', '0.01 MB')
    """
    size = count / _MEGABYTE
    if size >= 10:
        return f"{size:,.0f} MB"
    return f"{size:.1f} MB" if size >= 1 else f"{size:.2f} MB"


def moment(text: str) -> str:
    """Return an ISO 8601 time as people read it, in UTC.

    Examples
    --------
    >>> moment("2026-11-29T08:05:00.123+00:00")
    '2026-11-29 08:05 UTC'
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
