"""Documents of uploads: the port `DocumentStore` and its adapters for SQLite and Azure Cosmos DB.

The meaning of a document does not belong here: see `mfcc_assets.pipeline.upload_document`.
"""
