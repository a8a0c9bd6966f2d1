"""Tests of secrets: the contract of the port, and the behaviour of each source."""
