"""The starter library, and `make demo`, which brings it through the whole engine.

Tests and other examples do not belong here.
"""
