"""Playlists: choose which tracks a list contains, put them in order, and write them in a playlist format.

The distances between tracks, which rank the lists, belong in `mfcc_assets.similarity`.
"""
