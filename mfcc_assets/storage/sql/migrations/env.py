"""Script of Alembic: it runs the migrations over a given connection, or prints the statements of a dialect."""

from alembic import context

from mfcc_assets.storage.sql.schema import METADATA

given = context.config.attributes
if context.is_offline_mode():
    context.configure(dialect_name=given["dialect"], literal_binds=True)
else:
    context.configure(connection=given["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
