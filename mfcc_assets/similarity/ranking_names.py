"""Names of rankings. This module imports nothing, so that settings can be read quickly."""

DEFAULT_RANKING = "fused"

FORMER_NAMES = {"timbre": "gaussian"}
"""By former name the present one. Settings, and indexes that were built before, may still use the former name."""
