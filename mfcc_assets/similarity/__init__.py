"""Distances between tracks: dynamic time warping, timbre, the correction for hubs, and explanations of a distance.

A search through a whole library does not belong here: see `mfcc_assets.search`.
"""
