"""The engines that run heavy work: one function each, which applies a function to many items.

The work itself does not belong here: see `mfcc_assets.pipeline`.
"""
