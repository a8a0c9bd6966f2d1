"""Tests of the code that uses the private API of Dagster."""
