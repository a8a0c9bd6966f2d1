"""Playlists: choose which tracks a list contains, put them in order, and write them in a playlist format.

Distances between tracks, by which lists are ranked, belong in `mfcc_assets.similarity`.
"""
