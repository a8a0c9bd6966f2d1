"""When Python looks for garbage, in processes that import large libraries."""

import atexit
import gc

OBJECTS_PER_COLLECTION = 50_000
"""Number of new objects after which Python looks for garbage. The memory that it finds later is that of these few."""


def spare_the_collector() -> None:
    """Keep Python from looking for garbage among a million objects of imported libraries, of which none is garbage.

    It would look through all of them several times while they are imported, and once more when the process ends.
    """
    if gc.get_threshold()[0] != OBJECTS_PER_COLLECTION:
        gc.set_threshold(OBJECTS_PER_COLLECTION)
        atexit.register(gc.freeze)
