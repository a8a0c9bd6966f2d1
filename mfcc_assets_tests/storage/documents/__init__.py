"""Tests of documents: the contract of the port, and the behaviour of each adapter."""
