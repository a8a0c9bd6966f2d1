"""Tests of blobs: the contract of the port, and the behaviour of each adapter."""
