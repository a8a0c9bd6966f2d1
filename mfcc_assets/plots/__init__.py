"""Pictures: functions that take arrays and return the bytes of a PNG or SVG, and the layout of a library's map.

This package does not read files or stores, and computes no features and no distances.
"""
