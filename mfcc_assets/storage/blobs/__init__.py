"""Blobs: the port `BlobStore`, its adapters for local folders and Azure, and small helpers over the port.

The meaning of a blob's content does not belong here, except that it may be JSON.
"""
