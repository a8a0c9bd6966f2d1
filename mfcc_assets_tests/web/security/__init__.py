"""Tests of what protects listeners and the library."""
