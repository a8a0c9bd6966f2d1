"""The jobs: which assets a run materialises, and how. Sensors and the command line start them by name."""

import dagster as dg

from mfcc_assets.defs.launch import LIBRARY_JOB
from mfcc_assets.defs.private.one_library_run import one_library_run
from mfcc_assets.defs.sensors.uploads import UPLOADS_JOB

# All steps of a run share one process. So they share the compiled kernels, and the imports are paid for once.
EXECUTOR = one_library_run

library_job = dg.define_asset_job(
    LIBRARY_JOB,
    dg.AssetSelection.groups("library"),
    executor_def=EXECUTOR,
    description="Brings the whole library up to date, from its files to published recommendations.",
)

features_job = dg.define_asset_job(
    "features",
    dg.AssetSelection.assets("raw_soundtracks", "soundtrack_cepstra", "soundtrack_summaries"),
    executor_def=EXECUTOR,
    description="Observes files and computes their features, for one or more shards.",
)

uploads_job = dg.define_asset_job(
    UPLOADS_JOB,
    dg.AssetSelection.groups("uploads"),
    executor_def=EXECUTOR,
    description="Answers uploads, from the file to its recommendations.",
)
