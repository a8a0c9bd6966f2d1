"""Recognition: find out whether an upload is a recording that the library holds, or that a service knows.

Rankings of tracks that only sound alike belong in `mfcc_assets.similarity`.
"""
