"""Tests of what a listener does with an upload."""
