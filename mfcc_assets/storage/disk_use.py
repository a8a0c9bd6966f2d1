"""How much space files take on a disk."""

import os
from pathlib import Path

_BLOCK = 512  # the unit of st_blocks, whatever the size of a block on the disk


def bytes_on_disk(*paths: Path) -> int:
    """Return the bytes that files, and all files below folders, take on the disk. A path without a file takes none.

    Links are not followed, so a linked folder takes no space here. A file with several names counts for each.
    """
    return sum(map(_bytes_below, paths))


def _bytes_below(path: Path) -> int:
    try:
        size = path.lstat().st_blocks * _BLOCK
        if path.is_symlink() or not path.is_dir():
            return size
        with os.scandir(path) as entries:
            return size + sum(_bytes_below(Path(entry)) for entry in entries)
    except OSError:
        return 0  # it went meanwhile, or may not be read
