"""The version of the index whose lists the soundtracks of a shard have, told once for the whole shard.

The view of the recommendations shows this version. A list that did not change keeps the version that wrote it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *map(sa.column, columns))


_SHOWN = ("TITLE", "ARTIST", "ALBUM", "GENRE", "SECONDS", "BLOB_NAME", "ARTWORK")
_SOUNDTRACKS = _table("SOUNDTRACKS", "TRACK_ID", "SHARD", *_SHOWN)
_LISTS = _table("RECOMMENDATIONS", "QUERY_ID", "RANK", "TRACK_ID", "DISTANCE", "METHOD", "INDEX_VERSION", "CREATED_AT")
_SHARDS = _table("RECOMMENDED_SHARDS", "SHARD", "INDEX_VERSION")
_TRACK, _QUERY = _SOUNDTRACKS.alias("TRACK"), _SOUNDTRACKS.alias("QUERY")

_VIEW = (
    sa.select(
        _LISTS.c.QUERY_ID,
        _QUERY.c.TITLE.label("QUERY_TITLE"),
        _QUERY.c.ARTIST.label("QUERY_ARTIST"),
        _LISTS.c.RANK,
        _LISTS.c.TRACK_ID,
        *(_TRACK.c[name] for name in _SHOWN),
        _LISTS.c.DISTANCE,
        _LISTS.c.METHOD,
        sa.func.coalesce(_SHARDS.c.INDEX_VERSION, _LISTS.c.INDEX_VERSION).label("INDEX_VERSION"),
        _LISTS.c.CREATED_AT,
    )
    .join(_TRACK, _TRACK.c.TRACK_ID == _LISTS.c.TRACK_ID)
    .outerjoin(_QUERY, _QUERY.c.TRACK_ID == _LISTS.c.QUERY_ID)
    .outerjoin(_SHARDS, _SHARDS.c.SHARD == _QUERY.c.SHARD)
)

_REPLACE = {"mssql": "CREATE OR ALTER VIEW", "postgresql": "CREATE OR REPLACE VIEW"}
"""Replacing a view keeps the rights of those who read it. SQLite has no rights, and cannot replace a view."""


def upgrade() -> None:
    # Nobody knows yet which shards are complete. So the next run looks at all lists once, and keeps what is right.
    op.create_table(
        "RECOMMENDED_SHARDS",
        sa.Column("SHARD", sa.String(2), primary_key=True),
        sa.Column("INDEX_VERSION", sa.String(32), nullable=False),
        sa.Column("MADE_FROM", sa.String(32), nullable=False),
    )
    dialect = op.get_context().dialect
    name = dialect.identifier_preparer.quote("RECOMMENDED_SOUNDTRACKS")
    if dialect.name not in _REPLACE:
        op.execute(f"DROP VIEW IF EXISTS {name}")
    op.execute(f"{_REPLACE.get(dialect.name, 'CREATE VIEW')} {name} AS {_VIEW.compile(dialect=dialect)}")
