"""Where a listener may be led to: pages of this site."""

from urllib.parse import SplitResult, urlsplit


def target_here(asked: str) -> str:
    r"""Return an address that leads to a page of this site: the one that was asked for, else the first page.

    Examples
    --------
    >>> target_here("/library?sort=year"), target_here("//evil.example/"), target_here("/\\evil.example")
    ('/library?sort=year', '/', '/')
    """
    # Browsers ignore tabs and line breaks in an address, and read a backslash as a slash.
    is_plain = not any(character <= " " or character == "\\" for character in asked)
    return asked if asked.startswith("/") and not asked.startswith("//") and is_plain else "/"


def split_address(written: str) -> SplitResult:
    """Return the parts of an address that a browser has sent, which are empty if it is none.

    Examples
    --------
    >>> split_address("http://localhost:8000/help").netloc, split_address("http://[").netloc
    ('localhost:8000', '')
    """
    try:
        return urlsplit(written)
    except ValueError:
        return urlsplit("")
