"""The only place where assets, checks, jobs, sensors and resources meet."""

from collections.abc import Mapping

import dagster as dg

from mfcc_assets import sensors
from mfcc_assets.assets import candidates, cepstra, quality, raw, recommendations, reranking
from mfcc_assets.launch import LIBRARY_JOB
from mfcc_assets.library import Library
from mfcc_assets.orphaned_runs import orphaned_runs_sensor
from mfcc_assets.settings import Settings
from mfcc_assets.stores.secrets import variable_of

OWNERS = ["team:music"]
LIBRARY_TAGS = {"mfcc/library": "true"}
"""Of runs so tagged, one goes on at a time: dagster.yaml says so."""


def build_defs(**overrides: object) -> dg.Definitions:
    """Assemble the code location.

    Parameters
    ----------
    **overrides
        Resources in the place of the default ones, by name: tests pass a `library` of their own.
    """
    library = Library()
    resources: Mapping[str, object] = {"library": library, **_azure_resources(library.settings), **overrides}
    modules = [raw, cepstra, candidates, reranking, quality, recommendations]
    # One process a run: its assets share the memory of compiled kernels, and a process more costs 3 s of imports.
    executor = dg.in_process_executor
    return dg.Definitions(
        assets=dg.map_asset_specs(
            lambda spec: spec.replace_attributes(owners=OWNERS),
            [asset for asset in dg.load_assets_from_modules(modules) if isinstance(asset, dg.AssetsDefinition)],
        ),
        asset_checks=dg.load_asset_checks_from_modules(modules),
        jobs=[
            dg.define_asset_job(
                LIBRARY_JOB,
                dg.AssetSelection.groups("library"),
                executor_def=executor,
                tags=LIBRARY_TAGS,
                description="Bring the whole library up to date, from its files to published recommendations.",
            ),
            dg.define_asset_job(
                "features",
                dg.AssetSelection.assets("raw_soundtracks", "soundtrack_cepstra", "soundtrack_summaries"),
                executor_def=executor,
                tags=LIBRARY_TAGS,
                description="Observe files and compute their features, a shard or many.",
            ),
            dg.define_asset_job(
                sensors.UPLOADS_JOB,
                dg.AssetSelection.groups("uploads"),
                executor_def=executor,
                description="Answer uploads, from the file to its recommendations.",
            ),
        ],
        sensors=[sensors.uploads_sensor, sensors.soundtracks_sensor, orphaned_runs_sensor],
        resources=resources,
        executor=executor,
    )


def _azure_resources(settings: Settings) -> dict[str, object]:
    """The storage account as dagster-azure knows it, for assets beside ours and for Pipes.

    An account key is named by its variable, never given: Dagster's UI shows what a resource is configured with. A key
    that lies in a vault has no variable, so that there the managed identity is taken.
    """
    if settings.profile != "azure":
        return {}
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
