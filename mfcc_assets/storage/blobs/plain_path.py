"""Paths that every library can open, for files whose names are no text."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mfcc_assets.storage.blobs.names import clean_name


@contextmanager
def plain_path(path: Path) -> Iterator[Path]:
    """Yield a path of the same file that is text.

    The name of a file may hold bytes that are not UTF-8. Libraries that decode audio refuse it. So they get a link with
    a clean name and the same suffix, which exists only inside the ``with``.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory(prefix="mfcc-") as folder:
            link = Path(folder, clean_name(path.name).rpartition("/")[2])
            link.symlink_to(path.absolute())
            yield link
    else:
        yield path
