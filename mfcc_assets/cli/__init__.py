"""The `mfcc` command: a file for each command, and what the commands share.

A command reads its arguments, calls `mfcc_assets.pipeline` and prints; what is done to a library does not belong here.
"""
