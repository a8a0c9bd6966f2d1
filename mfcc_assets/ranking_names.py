"""Names of rankings. This module imports nothing, so that the settings load fast."""

RANKING_NAMES = ("fused", "gaussian", "dtw", "article")

DEFAULT_RANKING = "fused"

PRESENT_NAMES = {"timbre": "gaussian"}
"""Present name of a ranking by its former name. Settings and older indexes may still use the former name."""
