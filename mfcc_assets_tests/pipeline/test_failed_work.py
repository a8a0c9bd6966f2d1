"""Work that failed on some items does not stop the others."""

import logging

import pyarrow as pa
import pytest

from mfcc_assets.compute.port import MOST_FAILED, RESULT
from mfcc_assets.errors import FeaturesMissing, WorkFailed
from mfcc_assets.pipeline.failed_work import FailedWork, succeeded


def test_the_first_error_is_raised_and_the_log_names_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    failed = FailedWork()
    failed.add(FeaturesMissing("they are missing", subject="cepstra/1"), "first.mp3")
    failed.add(WorkFailed("it failed", subject="0a"), "second.mp3")

    with pytest.raises(FeaturesMissing, match="cepstra/1: they are missing"):
        failed.raise_first()
    assert "second.mp3: it failed" in caplog.text


def test_nothing_is_raised_if_nothing_failed() -> None:
    FailedWork().raise_first()


def test_after_many_failures_the_others_are_not_tried() -> None:
    failed = FailedWork()
    for number in range(MOST_FAILED - 1):
        failed.add(WorkFailed("it failed", subject=str(number)), f"{number}.mp3")

    with pytest.raises(WorkFailed, match=r"0\.mp3"):
        failed.add(WorkFailed("it failed", subject="last"), "last.mp3")


def test_results_are_parted_from_failures() -> None:
    told = {"what": "it failed", "subject": "b", "remedy": "", "traceback": ""}
    rows = [{"key": "a"}, {"key": "b", "error_code": "WorkFailed", "error": told}, {"key": "c"}]
    failures = list[tuple[str, str]]()

    (batch,) = succeeded(
        [pa.RecordBatch.from_pylist(rows, RESULT)], lambda key, error: failures.append((key, str(error)))
    )

    assert batch["key"].to_pylist() == ["a", "c"]
    assert failures == [("b", "b: it failed.")]
