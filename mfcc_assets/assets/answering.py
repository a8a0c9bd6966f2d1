"""The run that answers uploads, as Dagster knows it."""

from datetime import UTC, datetime

import dagster as dg

from mfcc_assets.library import Library
from mfcc_assets.stages.claiming import AnsweringRun


def answering_run(context: dg.AssetExecutionContext, library: Library) -> AnsweringRun:
    """The present run, with what this Dagster knows of others."""

    def has_ended(run_id: str) -> bool:
        run = context.instance.get_run_by_id(run_id)
        return run is not None and run.is_finished

    record = context.instance.get_run_record_by_id(context.run.run_id)
    requested = record.create_timestamp.astimezone(UTC) if record else datetime.now(UTC)
    return AnsweringRun(context.run.run_id, requested, has_ended, library.settings.claim_seconds)
