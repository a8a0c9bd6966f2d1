"""How kernels are compiled: at the first call, or loaded from what an earlier process has compiled.

Numba compiles anew when the file of a kernel changes, not when that of another kernel which it calls does. After such a
change callers in other files are stale until ``__pycache__/*.nb?`` beside them is removed, as the Makefile does.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

_Kernel = TypeVar("_Kernel", bound=Callable[..., object])

_REORDERED = {"reassoc", "contract", "nsz"}


def compiled(kernel: _Kernel) -> _Kernel:
    """Compile to code that computes in the order that is written, for any number of threads at a time."""
    return cast(_Kernel, numba.njit(cache=True, nogil=True)(kernel))


def compiled_reordered(kernel: _Kernel) -> _Kernel:
    """Compile to code that may add in any order, and divides without looking for zero first.

    Sums then run in vectors. For products the divisions alone made 14 instead of 10 thousand million a second.
    """
    return cast(_Kernel, numba.njit(cache=True, nogil=True, fastmath=_REORDERED, error_model="numpy")(kernel))
