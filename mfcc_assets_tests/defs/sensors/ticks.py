"""Ticks of a sensor as the daemon evaluates them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import dagster as dg

from mfcc_assets.defs.partitions import UPLOADS
from mfcc_assets.defs.sensors.cursor import Cursor
from mfcc_assets.library import Library


def swept_now() -> Cursor:
    """Return a cursor with which no sweep is due."""
    return Cursor(swept=datetime.now(UTC).timestamp())


@dataclass(frozen=True)
class TickResult:
    """The requests of a sensor in a tick. The lists are empty if it requests nothing."""

    run_requests: Sequence[dg.RunRequest]
    dynamic_partitions_requests: Sequence[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest]
    cursor: str


def tick(
    sensor: dg.SensorDefinition, library: Library, instance: dg.DagsterInstance, cursor: Cursor | str
) -> TickResult:
    """Evaluate a tick and add the partitions that it requests, as the daemon does. A rest of the sensor is skipped."""
    rested = replace(Cursor.parse(str(cursor)), rests_until=0.0)
    with dg.build_sensor_context(instance, cursor=str(rested), resources={"library": library}) as context:
        outcome = sensor.evaluate_tick(context)
    for request in outcome.dynamic_partitions_requests or []:
        instance.add_dynamic_partitions(str(UPLOADS.name), list(request.partition_keys))
    assert outcome.cursor is not None
    return TickResult(outcome.run_requests or [], outcome.dynamic_partitions_requests or [], outcome.cursor)
