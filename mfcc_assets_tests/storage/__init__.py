"""Tests of the stores, in packages and modules like those of `mfcc_assets.storage`."""
