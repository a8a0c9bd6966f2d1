"""Waits of one module that tests replace."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest


def replace_sleep(monkeypatch: pytest.MonkeyPatch, module: str, sleep: Callable[[float], object]) -> None:
    """Let one module call another function instead of `time.sleep`.

    Other threads of the process, such as those of Spark, still sleep. With a `time.sleep` that does not, they would run
    without a pause, and their waits would be taken for those of the module.

    Parameters
    ----------
    monkeypatch
        What undoes it after the test.
    module
        Name of the module, which imports `time`.
    sleep
        The function.
    """
    monkeypatch.setattr(f"{module}.time", SimpleNamespace(**vars(time) | {"sleep": sleep}))
