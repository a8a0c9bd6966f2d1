"""Ask the kernel whether a process is still writing a file."""

import fcntl
import os
import signal
from pathlib import Path


def is_open_for_writing(path: Path) -> bool:
    """Return True if a process of this machine is known to have a file open for writing.

    Linux grants a lease for reading only on a file that nobody has open for writing. Where leases are not available,
    for example on a network file system or on a file of another user, nothing is known, and False is returned.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        # If a writer comes while the lease lasts, the kernel sends a signal. This one is ignored by default.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False
