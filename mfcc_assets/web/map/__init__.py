"""The map of a library: every track is a point, and tracks that sound alike lie near each other."""
