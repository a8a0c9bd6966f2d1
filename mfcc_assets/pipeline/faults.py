"""What an examination of an installation or a library finds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mfcc_assets.errors import MfccError

FAULTS_NAMED = 10
"""Largest number of faults of one kind that are named one by one."""


@dataclass(frozen=True)
class Examined:
    """The result of the examination of one part.

    Attributes
    ----------
    part
        The part, for example ``database``.
    found
        What was found, as a text; empty if faults say it.
    faults
        A sentence for each fault, with what to do.
    notes
        Sentences about what is no fault, and may be worth knowing.
    """

    part: str
    found: str = ""
    faults: Sequence[str] = field(default_factory=list)
    notes: Sequence[str] = field(default_factory=list)


def examined(part: str, examine: Callable[[], Examined]) -> Examined:
    """Examine a part. An error of the package or of the system is a fault of this part."""
    try:
        return examine()
    except MfccError as error:
        return Examined(part, faults=[str(error)])
    except OSError as error:
        what = f"{error.filename or part}: it cannot be read or written ({error.strerror or error})."
        return Examined(part, faults=[f"{what} Check its permissions and its disk."])


def first_faults(faults: Sequence[str]) -> list[str]:
    """Return the first `FAULTS_NAMED` faults, and a sentence with the number of all others."""
    more = len(faults) - FAULTS_NAMED
    return [*faults[:FAULTS_NAMED], *([f"There are {more} more like these."] if more > 0 else [])]
