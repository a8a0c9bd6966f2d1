"""What the errors of databases mean: which of them pass, and which say that a right is missing."""

import sqlalchemy as sa

_PASSING_STATES = ("08", "40001", "40P01", "57P01", "57P02", "57P03")
"""Beginnings of SQLSTATE in PostgreSQL: connection, serialization, deadlock, server stopped, crashed, starting."""

_PASSING_MESSAGES = (
    "is not currently available",  # 40613: the database moves, or wakes
    "has encountered an error processing your request",  # 40197
    "service is currently busy",  # 40501
    "Not enough resources to process request",  # 49918
    "Too many create or update operations in progress",  # 49919
    "Too many operations in progress",  # 49920
    "requested by the login. The login failed",  # 4060: the database is not yet attached
    "limit for the database is",  # 10928: workers or sessions
    "is currently too busy to support requests",  # 10929
    "chosen as the deadlock victim",  # 1205
)
"""Parts of the messages of SQL Server; its driver keeps the numbers behind them to itself."""

_REFUSALS = (
    "Failed to load the driver",
    "Login failed for user",
    "authentication failed",
    "does not exist",
    "no pg_hba.conf entry",
    "permission denied",
)
"""Parts of the messages that answer an attempt to connect, and come again however often it is repeated."""

_MISSING_RIGHTS = ("permission", "must be owner", "readonly database")


def is_passing(error: sa.exc.DBAPIError, *, is_connecting: bool) -> bool:
    """Whether the same work may succeed when it is done again a moment later.

    Parameters
    ----------
    error
        What the database said.
    is_connecting
        Whether it said so to an attempt to connect.
    """
    if _is_of_sqlite(error):
        return False  # no server is there to come back, and its time-outs are long enough
    message = str(error.orig)
    state = getattr(error.orig, "pgcode", None) or ""
    if error.connection_invalidated or state.startswith(_PASSING_STATES):
        return True
    if any(part in message for part in _PASSING_MESSAGES):
        return True
    is_refusal = any(part in message for part in _REFUSALS)
    return is_connecting and isinstance(error, sa.exc.OperationalError) and not is_refusal


def lacks_rights(error: BaseException | None) -> bool:
    """Whether a database says that its user may not do what it was asked."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    return getattr(error.orig, "pgcode", None) == "42501" or any(part in str(error.orig) for part in _MISSING_RIGHTS)


def _is_of_sqlite(error: sa.exc.DBAPIError) -> bool:
    return type(error.orig).__module__ == "sqlite3"
