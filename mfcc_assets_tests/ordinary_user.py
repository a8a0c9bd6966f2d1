"""Tests of permissions often run as root, who may read everything."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_VERSION_3 = 0x20080522
_EFFECTIVE, _WORDS = 0, 6
_MAY_READ_ALL_FILES = 1 << 1 | 1 << 2
"""The capabilities CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH of Linux."""


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Let the permissions of files hold for this thread, even if it is one of root."""
    if sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, rights = (ctypes.c_uint32 * 2)(_VERSION_3, 0), (ctypes.c_uint32 * _WORDS)()
    assert libc.capget(header, rights) == 0
    before = rights[_EFFECTIVE]
    rights[_EFFECTIVE] &= ~_MAY_READ_ALL_FILES
    assert libc.capset(header, rights) == 0
    try:
        yield
    finally:
        rights[_EFFECTIVE] = before
        assert libc.capset(header, rights) == 0
