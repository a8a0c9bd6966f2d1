"""The only place where assets, checks, jobs, sensors and resources meet."""

from collections.abc import Mapping

import dagster as dg

from mfcc_assets import sensors
from mfcc_assets.assets import candidates, cepstra, quality, raw, recommendations, reranking
from mfcc_assets.launch import LIBRARY_JOB
from mfcc_assets.library import Library

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
    resources: Mapping[str, object] = {"library": Library(), **overrides}
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
        sensors=[sensors.uploads_sensor, sensors.soundtracks_sensor, sensors.orphaned_runs_sensor],
        resources=resources,
        executor=executor,
    )


defs = build_defs()
