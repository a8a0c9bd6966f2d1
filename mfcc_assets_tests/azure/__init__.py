"""Tests of the engine on the local twin of Azure. Tests of single adapters do not belong here."""
