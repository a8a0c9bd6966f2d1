"""Where a listener may be led to: pages of this site."""


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
