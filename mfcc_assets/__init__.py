"""A music recommendation engine that compares the audio itself, orchestrated by Dagster.

Tests, benchmarks and deployment do not belong here: see ``mfcc_assets_tests`` and ``deploy``.
"""
