"""Tests of the sensors, in modules like those of `mfcc_assets.defs.sensors`."""
