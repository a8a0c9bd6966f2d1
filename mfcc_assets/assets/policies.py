"""What all assets of a kind share: how they are divided, retried and shown."""

from functools import partial

import dagster as dg

from mfcc_assets.partitions import SHARDS, UPLOADS

# A run costs about 6 CPU-seconds, a partition inside a run 40 ms an asset: few, fat runs.
_SINGLE_RUN = dg.BackfillPolicy.single_run()

# Bad files are rejects, so what fails a step is infrastructure: it is worth another try.
_RETRIES = dg.RetryPolicy(max_retries=2, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)

library_asset = partial(dg.asset, group_name="library", retry_policy=_RETRIES)
"""An asset of the whole library."""

soundtrack_asset = partial(library_asset, partitions_def=SHARDS, backfill_policy=_SINGLE_RUN)
"""An asset with a partition a shard."""

upload_asset = partial(
    dg.asset, group_name="uploads", retry_policy=_RETRIES, partitions_def=UPLOADS, backfill_policy=_SINGLE_RUN
)
"""An asset with a partition an upload."""
