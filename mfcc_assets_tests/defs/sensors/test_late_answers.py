"""The sensor of late answers reports a check when the verdict changes, and starts no run."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from mfcc_assets.defs.sensors.late_answers import late_answers_sensor
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_register import receive_files, upload_files


def tick(library: Library, instance: dg.DagsterInstance, cursor: str | None) -> tuple[list[bool], str | None]:
    """Return the verdicts that the sensor reports, and its cursor."""
    with dg.build_sensor_context(instance, cursor=cursor, resources={"library": library}) as context:
        outcome = late_answers_sensor.evaluate_tick(context)
    assert not outcome.run_requests
    verdicts = [event.passed for event in outcome.asset_events if isinstance(event, dg.AssetCheckEvaluation)]
    return verdicts, outcome.cursor


def test_a_late_answer_is_reported_once_and_its_end_too(library: Library, instance: dg.DagsterInstance) -> None:
    library.blobs.write("uploads", "song.mp3", b"not music")
    (upload,) = receive_files(library, list(upload_files(library)))
    nothing, cursor = tick(library, instance, None)
    came = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    library.documents.update(upload, lambda body: {**body, "received": came})
    late, cursor = tick(library, instance, cursor)
    still, cursor = tick(library, instance, cursor)
    library.documents.update(upload, lambda body: {**body, "state": "failed"})
    ended, _ = tick(library, instance, cursor)

    assert (nothing, late, still, ended) == ([], [False], [], [True])
