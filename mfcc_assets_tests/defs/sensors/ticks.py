"""Ticks of a sensor as the daemon evaluates them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg

from mfcc_assets.defs.partitions import UPLOADS
from mfcc_assets.defs.sensors.cursor import Cursor
from mfcc_assets.library import Library

SWEPT_NOW = Cursor(swept=(datetime.now(UTC) + timedelta(days=1)).timestamp())
"""A cursor with which no sweep is due."""


def tick(
    sensor: dg.SensorDefinition, library: Library, instance: dg.DagsterInstance, cursor: Cursor | str
) -> dg.SensorResult:
    """Evaluate a tick and add the partitions that it requests, as the daemon does. A rest of the sensor is skipped."""
    rested = replace(Cursor.parse(str(cursor)), rests_until=0.0)
    with dg.build_sensor_context(instance, cursor=str(rested), resources={"library": library}) as context:
        outcome = sensor.evaluate_tick(context)
    for request in outcome.dynamic_partitions_requests or []:
        instance.add_dynamic_partitions(str(UPLOADS.name), list(request.partition_keys))
    return outcome
