"""The credits of a library, read once in a run.

The credits of a million tracks take as long to read as a run with one new track takes for everything else. A tag that
changes during a run therefore counts for the measured figures of the next run.
"""

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.storage.sql.records import Credit

_read: WeakKeyDictionary[Library, tuple[str, Mapping[AudioId, Credit]]] = WeakKeyDictionary()
"""The run that has read the credits of each open library last, and the credits."""


def credits_in_run(library: Library, run_id: str) -> Mapping[AudioId, Credit]:
    """Return the credit of each audio of the library.

    Parameters
    ----------
    library
        The library.
    run_id
        The run that asks, whose steps share one reading. If it is empty, the credits are read now.
    """
    if not run_id:
        return library.catalogue.credits()
    known = _read.get(library)
    if known is None or known[0] != run_id:
        known = _read[library] = run_id, library.catalogue.credits()
    return known[1]
