"""Everything that keeps data: blobs, documents, the database and secrets, and the stores of features and indexes.

How features are computed or a library is updated does not belong here.
"""
