"""Sensors: what arrives in a container, or is left half-way, becomes a run.

What a run does with it does not belong here.
"""
