"""Tests of the Dagster code, in packages and modules like those of `mfcc_assets.defs`."""
