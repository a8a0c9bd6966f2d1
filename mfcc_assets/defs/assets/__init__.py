"""The assets, one module for each of the two groups that the Dagster UI shows.

Their bodies only resolve, call `mfcc_assets.pipeline`, and return metadata. Checks are in `mfcc_assets.defs.checks`.
"""
