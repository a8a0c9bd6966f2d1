"""Pipeline: everything that is done to a library or to an upload, as functions that know nothing of Dagster.

Assets, jobs and sensors, which call these functions, belong in `mfcc_assets.defs`.
"""
