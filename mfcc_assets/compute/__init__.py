"""The functions that apply another function to many items on several cores.

The work itself does not belong here: see `mfcc_assets.pipeline`.
"""
