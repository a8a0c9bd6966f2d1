"""The index of a library and the search through it, from the vector index to exact distances.

How two tracks are compared does not belong here (see `mfcc_assets.similarity`), nor how an index is stored.
"""
