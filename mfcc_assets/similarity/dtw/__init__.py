"""Dynamic time warping: compiled kernels, the distance of two tracks, its lower bound, and alignments.

Distances that compare no frames, such as those of timbre, do not belong here.
"""
