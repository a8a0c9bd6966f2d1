"""The private parts of Dagster are those of the release in which they were read."""

import dagster as dg
import pytest
from dagster._core.instance.utils import _get_event_batch_size

from mfcc_assets.defs.private import READ_IN
from mfcc_assets.defs.private.event_batches import EVENT_BATCHES


def test_the_private_api_was_read_in_the_release_that_is_installed() -> None:
    assert dg.__version__ == READ_IN, "Read the private parts again that mfcc_assets.defs.private names."


def test_dagster_reads_the_size_of_its_batches_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in EVENT_BATCHES.items():
        monkeypatch.setenv(name, value)

    assert _get_event_batch_size() == 1000
