"""The assets. Each of the two groups that the Dagster UI shows has one module.

The work itself does not belong here: an asset calls `mfcc_assets.pipeline` and returns metadata. The checks of assets
are in `mfcc_assets.defs.checks`.
"""
