"""Documents of uploads: the port `DocumentStore` and its adapters for SQLite and Azure Cosmos DB.

What a document means does not belong here: `mfcc_assets.pipeline.upload_document` knows that.
"""
