"""Blobs: the port `BlobStore`, its adapters for local folders and Azure, and small helpers over the port.

What a blob contains does not matter here, except that it may be JSON.
"""
