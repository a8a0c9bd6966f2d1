"""Tell why the run of a command failed: ``python -m mfcc_assets.defs.failed_run RUN_ID``.

The command line does not import Dagster, which is slow. If a run fails, it starts this module, which prints a line for
each step that failed.
"""

import sys
from collections.abc import Iterator

import dagster as dg

from mfcc_assets import errors
from mfcc_assets.defs.broken_homes import error_lines

_FAILURES = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
_CHECKS = {dg.DagsterEventType.ASSET_CHECK_EVALUATION}
_OURS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.MfccError)}


def reasons_of(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Return a line for each failed step of a run; for the run itself if no step failed."""
    events = _events(instance, run_id)
    failed = [event for event in events if event.event_type in _FAILURES]
    of_steps = [event for event in failed if event.step_key]
    unmet = {event.step_key: text for event in events if (text := _unmet_check(event))}
    return [
        f"{event.step_key or 'the run'}: {unmet.get(event.step_key) or _reason(event)}" for event in of_steps or failed
    ]


def is_interrupted(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Return whether a signal, such as that of Ctrl-C, made a run fail."""
    causes = [name for event in _events(instance, run_id) for name, _ in _causes(event)]
    return dg.DagsterExecutionInterruptedError.__name__ in causes


def _events(instance: dg.DagsterInstance, run_id: str) -> list[dg.DagsterEvent]:
    entries = instance.all_logs(run_id, of_type=_FAILURES | _CHECKS) if instance.has_run(run_id) else []
    return [entry.dagster_event for entry in entries if entry.dagster_event is not None]


def _unmet_check(event: dg.DagsterEvent) -> str:
    """Return what a blocking asset check found that did not pass, or nothing for any other event."""
    data = event.event_specific_data
    if not isinstance(data, dg.AssetCheckEvaluation) or data.passed or not data.blocking:
        return ""
    found = data.description or ", ".join(f"{name}: {value.value}" for name, value in data.metadata.items())
    return f"the check {data.check_name} did not pass ({found})" if found else ""


def _reason(event: dg.DagsterEvent) -> str:
    told = list(_causes(event))
    ours = [message for name, message in told if name in _OURS]
    return " ".join((ours or [message for _, message in told[-1:]] or [event.message or ""])[0].split())


def _causes(event: dg.DagsterEvent) -> Iterator[tuple[str, str]]:
    """Yield the name and the message of the error of an event, and of each error that caused it."""
    error = getattr(event.event_specific_data, "error", None)
    while error is not None:
        name = error.cls_name or ""
        message = "\n".join(error_lines(error.message.splitlines()))
        yield name, message.partition(": ")[2] if name in _OURS else message
        error = error.cause


if __name__ == "__main__":
    with dg.DagsterInstance.get() as _instance:
        print("\n".join(reasons_of(_instance, sys.argv[1])))  # noqa: T201
