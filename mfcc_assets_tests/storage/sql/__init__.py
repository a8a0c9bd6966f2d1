"""Tests of the database. The modules that are not named test_… hold helpers."""
