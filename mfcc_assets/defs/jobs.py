"""The jobs: which assets a run materialises, and how. Sensors and the command line start them by name."""

import dagster as dg

from mfcc_assets.defs.launch import LIBRARY_JOB
from mfcc_assets.defs.sensors.uploads import UPLOADS_JOB

# All steps of a run share one process: they share the memory of compiled kernels, and each further process costs 3 s of
# imports.
EXECUTOR = dg.in_process_executor

LIBRARY_TAGS = {"mfcc/library": "true"}
"""Tags of runs over the library. dagster.yaml lets only one run with these tags go on at a time."""

library_job = dg.define_asset_job(
    LIBRARY_JOB,
    dg.AssetSelection.groups("library"),
    executor_def=EXECUTOR,
    tags=LIBRARY_TAGS,
    description="Bring the whole library up to date, from its files to published recommendations.",
)

features_job = dg.define_asset_job(
    "features",
    dg.AssetSelection.assets("raw_soundtracks", "soundtrack_cepstra", "soundtrack_summaries"),
    executor_def=EXECUTOR,
    tags=LIBRARY_TAGS,
    description="Observe files and compute their features, for one shard or for many.",
)

uploads_job = dg.define_asset_job(
    UPLOADS_JOB,
    dg.AssetSelection.groups("uploads"),
    executor_def=EXECUTOR,
    description="Answer uploads, from the file to its recommendations.",
)
