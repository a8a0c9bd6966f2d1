"""Secrets: the port `SecretSource`, its adapters, the signing key, and the Azure identity of the process.

Settings that are not secret do not belong here.
"""
