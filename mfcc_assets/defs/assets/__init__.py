"""Dagster assets, a file a stage, in the order the data flows. They are thin: what they do lies in `stages`."""
