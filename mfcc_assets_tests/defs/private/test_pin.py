"""The installed release of Dagster is the one whose private API `mfcc_assets.defs.private` was written for."""

import dagster as dg
import pytest
from dagster._core.instance.utils import _get_event_batch_size

from mfcc_assets.defs.private import READ_IN
from mfcc_assets.defs.private.event_batches import EVENT_BATCHES


def test_the_private_api_was_read_in_the_installed_release() -> None:
    assert dg.__version__ == READ_IN, "Compare the code in mfcc_assets.defs.private with this release of Dagster."


def test_dagster_reads_the_size_of_its_batches_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in EVENT_BATCHES.items():
        monkeypatch.setenv(name, value)

    assert _get_event_batch_size() == 1000
