"""Tests of the files in `deploy`. They need no access to Azure."""
