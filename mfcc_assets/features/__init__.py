"""The numbers of one track, computed from its samples: cepstra, timbre, contour, fingerprint and their parameters.

Distances between tracks do not belong here: see `mfcc_assets.similarity`.
"""
