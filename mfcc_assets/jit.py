"""How kernels are compiled: at the first call, or loaded from what an earlier process has compiled."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

_numba_settings: Any = numba.config

_Kernel = TypeVar("_Kernel", bound=Callable[..., object])

_REORDERED = {"reassoc", "contract", "nsz"}

_PACKAGE = Path(__file__).parent
_OF_KERNELS = b"mfcc_assets.jit import"


def compiled(kernel: _Kernel) -> _Kernel:
    """Compile to code that computes in the order that is written, for any number of threads at a time."""
    return _compiled(kernel)


def compiled_reordered(kernel: _Kernel) -> _Kernel:
    """Compile to code that may add in any order, and divides without looking for zero first.

    Sums then run in vectors.
    """
    return _compiled(kernel, fastmath=_REORDERED, error_model="numpy")


def _compiled(kernel: _Kernel, **options: Any) -> _Kernel:
    folder = cache_folder()
    with _numba_caches_in(folder):
        return cast(_Kernel, numba.njit(cache=folder is not None, nogil=True, **options)(kernel))


@cache
def cache_folder() -> Path | None:
    """Where machine code is kept: a folder that is named by a hash of all kernels. None if no folder can be written.

    Numba compiles a kernel again when its own file changes, but not when a kernel that it calls changes in another
    file. With the hash in the name, any change to any kernel leads to a new folder.
    """
    given = [Path(_numba_settings.CACHE_DIR)] if _numba_settings.CACHE_DIR else []
    for parent in (*given, _PACKAGE / "__pycache__", Path.home() / ".cache" / "mfcc-assets"):
        folder = parent / f"kernels-{_hash_of_kernels()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return folder
    return None


def _hash_of_kernels() -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(_PACKAGE.rglob("*.py")):
        source = path.read_bytes()
        if _OF_KERNELS in source:
            digest.update(source)
    return digest.hexdigest()


@contextmanager
def _numba_caches_in(folder: Path | None) -> Iterator[None]:
    # Numba reads this when it decorates a kernel. Kernels of other packages keep their own place.
    former = _numba_settings.CACHE_DIR
    _numba_settings.CACHE_DIR = str(folder or former)
    try:
        yield
    finally:
        _numba_settings.CACHE_DIR = former
