"""The version of the index whose lists the soundtracks of a shard have, told once for the whole shard."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # Nobody knows yet which shards are complete. So the next run looks at all lists once, and keeps what is right.
    op.create_table(
        "RECOMMENDED_SHARDS",
        sa.Column("SHARD", sa.String(2), primary_key=True),
        sa.Column("INDEX_VERSION", sa.String(32), nullable=False),
        sa.Column("MADE_FROM", sa.String(32), nullable=False),
    )
