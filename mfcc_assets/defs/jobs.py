"""The jobs: which assets a run materialises, and how. Sensors and the command line start them by name."""

import dagster as dg

from mfcc_assets.defs.launch import LIBRARY_JOB
from mfcc_assets.defs.sensors.uploads import UPLOADS_JOB

# All steps of a run share one process. So they share the compiled kernels, and the imports are paid for once.
EXECUTOR = dg.in_process_executor

LIBRARY_TAGS = {"mfcc/library": "true"}
"""Tags of runs over the library. The file dagster.yaml allows only one run with these tags at a time."""

library_job = dg.define_asset_job(
    LIBRARY_JOB,
    dg.AssetSelection.groups("library"),
    executor_def=EXECUTOR,
    tags=LIBRARY_TAGS,
    description="Brings the whole library up to date, from its files to published recommendations.",
)

features_job = dg.define_asset_job(
    "features",
    dg.AssetSelection.assets("raw_soundtracks", "soundtrack_cepstra", "soundtrack_summaries"),
    executor_def=EXECUTOR,
    tags=LIBRARY_TAGS,
    description="Observes files and computes their features, for one or more shards.",
)

uploads_job = dg.define_asset_job(
    UPLOADS_JOB,
    dg.AssetSelection.groups("uploads"),
    executor_def=EXECUTOR,
    description="Answers uploads, from the file to its recommendations.",
)
