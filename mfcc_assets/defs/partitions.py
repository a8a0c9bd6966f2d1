"""The partitions of assets: shards of the library, and uploads."""

import warnings

import dagster as dg

from mfcc_assets.ids import shard_names
from mfcc_assets.settings import Settings

# Dagster warns once per asset, in every process, that `backfill_policy` is in beta. The tests cover the pinned version.
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)
SHARDS = dg.StaticPartitionsDefinition(shard_names(Settings().shard_digits))
UPLOADS = dg.DynamicPartitionsDefinition(name="uploads")
