"""The pages for listeners, and the server that serves them.

Pages read stores. They never ask Dagster on a listener's way.
"""
