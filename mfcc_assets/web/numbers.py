"""Whole numbers as requests write them."""

import re

_NUMBER = re.compile(r"-?[0-9]{1,9}")


def whole_number(written: str) -> int | None:
    """Return the whole number that a request writes; None if it is none, or has more than nine digits.

    Every database takes such a number, and no request makes the server read a number of thousands of digits.

    Examples
    --------
    >>> whole_number("1987"), whole_number("--5"), whole_number("9" * 5000)
    (1987, None, None)
    """
    return int(written) if _NUMBER.fullmatch(written) else None
