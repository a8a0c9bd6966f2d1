"""The code location of Dagster: all assets, checks, jobs, sensors and resources together."""

import dagster as dg

from mfcc_assets.defs import checks
from mfcc_assets.defs.assets import library as library_assets
from mfcc_assets.defs.assets import uploads as upload_assets
from mfcc_assets.defs.conditions import conditions_sensor
from mfcc_assets.defs.descriptions import described
from mfcc_assets.defs.history import history_job, history_schedule
from mfcc_assets.defs.jobs import EXECUTOR, features_job, library_job, uploads_job
from mfcc_assets.defs.nightly import housekeeping_job, housekeeping_schedule, nightly_schedule
from mfcc_assets.defs.retention import retention_job, retention_schedule
from mfcc_assets.defs.sensors.late_answers import late_answers_sensor
from mfcc_assets.defs.sensors.orphaned_runs import orphaned_runs_sensor
from mfcc_assets.defs.sensors.soundtracks import soundtracks_sensor
from mfcc_assets.defs.sensors.uploads import sensors_of_uploads
from mfcc_assets.extras import needs_extra
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.storage.secrets.environment import variable_of


def build_defs(library: Library | None = None, **overrides: object) -> dg.Definitions:
    """Assemble the code location.

    Parameters
    ----------
    library
        The library. By default it is that of the settings in the environment.
    **overrides
        Other resources by name, which replace the default ones.
    """
    library = library or Library()
    resources: dict[str, object] = {"library": library, **_azure_resources(library.settings), **overrides}
    assets = dg.load_assets_from_modules([library_assets, upload_assets])
    return dg.Definitions(
        assets=described([asset for asset in assets if isinstance(asset, dg.AssetsDefinition)], library),
        asset_checks=dg.load_asset_checks_from_modules([checks]),
        jobs=[library_job, features_job, uploads_job, retention_job, housekeeping_job, history_job],
        schedules=[nightly_schedule, housekeeping_schedule, retention_schedule, history_schedule],
        sensors=[
            *sensors_of_uploads(library.settings),
            soundtracks_sensor,
            orphaned_runs_sensor,
            late_answers_sensor,
            conditions_sensor(library.settings),
        ],
        resources=resources,
        executor=EXECUTOR,
    )


def _azure_resources(settings: Settings) -> dict[str, object]:
    """Return the storage account as a resource of dagster-azure, for other assets in this code location and for Pipes.

    The resource names the variable of an account key, never the key: Dagster's UI shows the configuration of resources.
    A key in a vault has no variable, so the managed identity is used instead.
    """
    if settings.profile != "azure":
        return {}
    with needs_extra("azure", "The profile azure in Dagster"):
        from dagster_azure.blob import (
            AzureBlobStorageDefaultCredential,
            AzureBlobStorageKeyCredential,
            AzureBlobStorageResource,
        )

    has_key = settings.blob_key_secret and not settings.key_vault_url
    credential: AzureBlobStorageKeyCredential | AzureBlobStorageDefaultCredential = (
        AzureBlobStorageKeyCredential(key=dg.EnvVar(variable_of(settings.blob_key_secret)))
        if has_key
        else AzureBlobStorageDefaultCredential()
    )
    return {"azure_blob_storage": AzureBlobStorageResource(account_url=settings.blob_url, credential=credential)}


defs = build_defs()
