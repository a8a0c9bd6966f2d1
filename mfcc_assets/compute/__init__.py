"""The engines that run heavy work. Each is one function, which applies another function to many items.

The work itself does not belong here: see `mfcc_assets.pipeline`.
"""
