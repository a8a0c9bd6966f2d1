"""Where heavy work runs: the port, and its adapters for the threads of this machine and for Spark.

The work itself does not belong here: see `mfcc_assets.pipeline`.
"""
