"""What is made of an index once, and kept beside it: pictures, and figures that take long."""

import io
import logging
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.library import Library

_logger = logging.getLogger(__name__)


def drawn_once(library: Library, version: str, name: str, draw: Callable[[], bytes]) -> bytes:
    """A picture as it was drawn for an index before, or drawn: with matplotlib's import that takes a second."""
    picture = library.indexes.read_attachment(version, name)
    if picture is None:
        picture = draw()
        library.indexes.write_attachment(version, name, picture)
    return picture


def measured_once(
    library: Library, version: str, name: str, measure: Callable[[], Mapping[str, NDArray[Any]]]
) -> Mapping[str, NDArray[Any]]:
    """Arrays by name as they were measured for an index before, or measured. Damaged ones are measured again."""
    kept = library.indexes.read_attachment(version, name)
    if kept is not None:
        try:
            with np.load(io.BytesIO(kept), allow_pickle=False) as arrays:
                return dict(arrays)
        except (EOFError, OSError, ValueError, zipfile.BadZipFile) as error:
            _logger.warning("%s of index %s is damaged: %s", name, version, error)
    measured = measure()
    written = io.BytesIO()
    np.savez(written, allow_pickle=False, **measured)
    library.indexes.write_attachment(version, name, written.getvalue())
    return measured
