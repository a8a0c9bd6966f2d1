"""Tests of the API for music players."""
