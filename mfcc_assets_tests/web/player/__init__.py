"""Tests of what the player asks for."""
