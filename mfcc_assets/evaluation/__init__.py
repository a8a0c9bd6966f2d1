"""Evaluation: measure how good rankings are, on stored rankings and on labelled sets of audio files.

The rankings themselves belong in `mfcc_assets.similarity`.
"""
