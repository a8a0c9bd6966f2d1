"""Tests of the addresses for programs."""
