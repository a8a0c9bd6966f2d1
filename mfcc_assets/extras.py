"""Optional dependencies: the error for one that is not installed names the extra that brings it."""

from collections.abc import Iterator
from contextlib import contextmanager

from mfcc_assets.errors import SettingsError


@contextmanager
def needs_extra(extra: str, purpose: str) -> Iterator[None]:
    """Turn the failed import of an optional dependency into an error that names its extra.

    Parameters
    ----------
    extra
        Name of the extra in pyproject.toml.
    purpose
        Feature that needs the dependency. It is the subject of the error.

    Raises
    ------
    SettingsError
        If a module of the extra is not installed.

    Examples
    --------
    >>> with needs_extra("sqlserver", "Tables in SQL Server"):
    ...     import not_installed
    Traceback (most recent call last):
    ...
    mfcc_assets.errors.SettingsError: Tables in SQL Server: the module not_installed is not installed. Run: pip ...
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"the module {error.name} is not installed",
            subject=purpose,
            remedy=f"Run: pip install 'mfcc-assets[{extra}]'",
        ) from error
