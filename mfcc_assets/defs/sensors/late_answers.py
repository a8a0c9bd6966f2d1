"""The sensor that watches how long uploads wait. It reports the check `uploads_are_answered_within_a_minute`.

A policy of freshness would ask when an upload was answered last, and would fail whenever nobody uploads anything. And a
check that runs with the answers cannot see that no run starts. So this sensor looks at what waits, and reports when the
verdict changes. It starts no run.
"""

from datetime import UTC, datetime

import dagster as dg

from mfcc_assets.defs.checks import ANSWERED_IN_TIME, judge_waiting
from mfcc_assets.library import Library

INTERVAL_SECONDS = 60


@dg.sensor(
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports when uploads wait for more than a minute, and when they no longer do.",
)
def late_answers_sensor(
    context: dg.SensorEvaluationContext, library: dg.ResourceParam[Library]
) -> dg.SensorResult | dg.SkipReason:
    verdict = judge_waiting(library, datetime.now(UTC))
    said = "in time" if verdict.passed else "late"
    if said == (context.cursor or "in time"):
        return dg.SkipReason(f"The answers are {said}, as before.")
    evaluation = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("upload_recommendations"),
        check_name=ANSWERED_IN_TIME,
        passed=verdict.passed,
        metadata=verdict.metadata,
        severity=verdict.severity,
    )
    return dg.SensorResult(asset_events=[evaluation], cursor=said)
