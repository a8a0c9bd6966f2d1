"""Conditions by which Dagster itself requests what is out of date, as an alternative to runs of the whole library.

`MFCC_AUTOMATION` chooses. With ``sensors``, the sensor of soundtracks requests a run over all assets of the library;
the conditions are shown, but nobody evaluates them. With ``conditions``, the same sensor requests only the observation
of the files, because Dagster cannot see files, and the conditions request every asset whose sources or whose code
version changed. Uploads have no conditions: a condition asks whether an asset is there, and not whether a listener has
an answer, and it is evaluated every half minute.
"""

from collections.abc import Sequence

import dagster as dg

from mfcc_assets.settings import Settings

CONDITIONS_SENSOR = "library_conditions"


def library_condition(*, is_root: bool) -> dg.AutomationCondition:
    """Return when an asset of the library is requested: if its sources were updated, or its code version changed.

    Parameters
    ----------
    is_root
        True for the observation of the files, which has no sources.
    """
    of_version: dg.AutomationCondition = dg.AutomationCondition.code_version_changed()
    changed = of_version.since_last_handled()
    if is_root:
        return changed & ~dg.AutomationCondition.in_progress()
    outdated = dg.AutomationCondition.any_deps_updated().since_last_handled() | changed
    return (
        outdated
        & ~dg.AutomationCondition.any_deps_missing()
        & ~dg.AutomationCondition.any_deps_in_progress()
        & ~dg.AutomationCondition.in_progress()
    ).with_label("sources or code version changed")


def conditions_sensor(settings: Settings) -> dg.AutomationConditionSensorDefinition:
    """Return the sensor that evaluates the conditions. It runs if the settings say so."""
    runs = settings.automation == "conditions"
    return dg.AutomationConditionSensorDefinition(
        CONDITIONS_SENSOR,
        target=dg.AssetSelection.groups("library"),
        default_status=dg.DefaultSensorStatus.RUNNING if runs else dg.DefaultSensorStatus.STOPPED,
        description="With MFCC_AUTOMATION=conditions, requests assets whose sources or code version changed.",
    )


def observed_assets(settings: Settings) -> Sequence[dg.AssetKey] | None:
    """Return the assets that the sensor of soundtracks requests; None for all of its job."""
    return [dg.AssetKey("raw_soundtracks")] if settings.automation == "conditions" else None
