"""Servers for tests: real ones on free ports, doubles of services without an emulator, and proxies that make faults.

Tests do not belong here.
"""
