"""What runs are divided by: shards of the library, and uploads."""

import warnings

import dagster as dg

from mfcc_assets.ids import shard_names
from mfcc_assets.settings import Settings

# Dagster says so once an asset, in every process. The pinned version is what the tests run against.
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)
SHARDS = dg.StaticPartitionsDefinition(shard_names(Settings().shard_digits))
UPLOADS = dg.DynamicPartitionsDefinition(name="uploads")
