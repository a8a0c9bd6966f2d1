"""The table of the keys of users and programs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mssql import DATETIME2

revision = "0005"
down_revision = "0004"

_MOMENT = sa.DateTime().with_variant(DATETIME2(6), "mssql")  # type: ignore[no-untyped-call]

_API_KEYS = sa.Table(
    "API_KEYS",
    sa.MetaData(),
    sa.Column("KEY_ID", sa.String(16), primary_key=True),
    sa.Column("NAME", sa.Unicode(64), nullable=False),
    sa.Column("IS_OPERATOR", sa.Boolean, nullable=False),
    sa.Column("KEY_HASH", sa.String(64), nullable=False),
    sa.Column("CREATED_AT", _MOMENT, nullable=False),
    sa.Column("REVOKED_AT", _MOMENT),
)


def upgrade() -> None:
    op.execute(sa.schema.CreateTable(_API_KEYS))
