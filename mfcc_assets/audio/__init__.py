"""Audio files: their samples, tags and pictures, excerpts and re-encoded copies, and the digest of their audio.

Numbers computed from the samples do not belong here: see `mfcc_assets.features`.
"""
