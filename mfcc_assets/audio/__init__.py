"""Audio files: their samples, their tags and pictures, excerpts of them, and the digest of their audio.

Numbers computed from the samples do not belong here: see `mfcc_assets.features`.
"""
