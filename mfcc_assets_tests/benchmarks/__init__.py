"""Benchmarks, which `make bench` runs. Tests do not belong here."""
