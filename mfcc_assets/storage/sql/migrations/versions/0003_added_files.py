"""The tables of the files that soundtracks were copied from, and of files that are not music."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_METADATA = sa.MetaData()

_SKIPPED_FILES = sa.Table(
    "SKIPPED_FILES",
    _METADATA,
    sa.Column("TRACK_ID", sa.String(16), primary_key=True),
    sa.Column("SHARD", sa.String(2), nullable=False, index=True),
    sa.Column("BLOB_NAME", sa.Unicode(2048), nullable=False),
    sa.Column("ETAG", sa.String(128), nullable=False),
    sa.Column("KIND", sa.String(64), nullable=False),
)

_ADDED_FILES = sa.Table(
    "ADDED_FILES",
    _METADATA,
    sa.Column("TRACK_ID", sa.String(16), primary_key=True),
    sa.Column("BLOB_NAME", sa.Unicode(2048), nullable=False),
    sa.Column("SOURCE", sa.Text, nullable=False),
    sa.Column("CONTENT_DIGEST", sa.String(32), nullable=False),
    sa.Column("ADDED_AT", sa.Float, nullable=False),
)


def upgrade() -> None:
    for table in (_SKIPPED_FILES, _ADDED_FILES):
        op.execute(sa.schema.CreateTable(table))
        for index in table.indexes:
            op.execute(sa.schema.CreateIndex(index))
