"""The memory of the servers of the pages that a test has started."""

import os
from pathlib import Path


def memory_of_servers() -> int:
    """Return the resident bytes of the servers that this process has started, with their children."""
    found, searched = 0, [os.getpid()]
    while searched:
        process = searched.pop()
        for child in _children(process):
            try:
                if "web" in Path(f"/proc/{child}/cmdline").read_text().split("\0"):
                    found += int(Path(f"/proc/{child}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
            searched.append(child)
    return found


def _children(process: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found += [int(child) for child in path.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread that has ended meanwhile
    return found
