"""Decorators that compile kernels by Numba.

A kernel is compiled at its first call, or loaded from the machine code that an earlier process left on disk.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

_logger = logging.getLogger(__name__)

_numba_settings: Any = numba.config

_Kernel = TypeVar("_Kernel", bound=Callable[..., object])

_REORDERED = {"reassoc", "contract", "nsz"}
"""LLVM's flags that allow another order of additions, but no assumptions about NaN and infinity."""

_PACKAGE = Path(__file__).parent
_SOURCES = ("features", "similarity", "search", "recognition")
"""Packages that have kernels, and the constants that kernels use. Numba compiles a constant into the machine code."""


def compiled(kernel: _Kernel) -> _Kernel:
    """Compile a function to machine code that computes in the written order.

    The compiled function releases the interpreter's lock, so that several threads can run it at once.
    """
    return _compiled(kernel)


def compiled_reordered(kernel: _Kernel) -> _Kernel:
    """Compile a function to machine code that may add in any order.

    It may also fuse a multiplication with an addition, ignores the sign of zero, and divides without a check for zero.

    The compiler can then use vector instructions for sums. Everything else is as for `compiled`.
    """
    return _compiled(kernel, fastmath=_REORDERED, error_model="numpy")


def _compiled(kernel: _Kernel, **options: Any) -> _Kernel:
    folder = cache_folder()
    with _numba_caches_in(folder):
        return cast("_Kernel", numba.njit(cache=folder is not None, nogil=True, **options)(kernel))


@cache
def cache_folder() -> Path | None:
    """Return the folder of the machine code, named by a hash of its sources, or None if no folder is writable.

    Numba compiles a kernel again when its own file changes, but not when another file changes that has a kernel or a
    constant which it uses. With a hash of all these files in the name, any change to them leads to a new folder.
    """
    given = [Path(_numba_settings.CACHE_DIR)] if _numba_settings.CACHE_DIR else []
    # Unlike Path.home, this does not fail for a user without a home directory, as executors of a cluster may have one.
    home = os.path.expanduser("~")  # noqa: PTH111
    of_user = [] if home == "~" else [Path(home) / ".cache" / "mfcc-assets"]
    for parent in (*given, _PACKAGE / "__pycache__", *of_user):
        folder = parent / f"kernels-{_hash_of_sources()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return folder
    _logger.warning(
        "No folder for compiled kernels can be written, so each process compiles them, which takes about 20 s. "
        "Set NUMBA_CACHE_DIR to a folder of the local disk that this user may write."
    )
    return None


def _hash_of_sources() -> str:
    digest = hashlib.blake2b(Path(__file__).read_bytes(), digest_size=8)
    for path in sorted(path for package in _SOURCES for path in (_PACKAGE / package).rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


@contextmanager
def _numba_caches_in(folder: Path | None) -> Iterator[None]:
    # Numba reads this setting when it decorates a kernel. Kernels of other packages keep their own folder.
    former = _numba_settings.CACHE_DIR
    _numba_settings.CACHE_DIR = str(folder or former)
    try:
        yield
    finally:
        _numba_settings.CACHE_DIR = former
