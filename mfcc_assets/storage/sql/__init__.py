"""The database: its schema and migrations, the catalogue, the recommendations, and the rights of its users.

Documents of uploads are kept elsewhere, even if they are in SQLite: see `mfcc_assets.storage.documents`.
"""
