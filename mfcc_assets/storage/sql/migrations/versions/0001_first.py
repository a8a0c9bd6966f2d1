"""The first schema. Databases from before the first migration have it already, or a part of it."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.mssql import DATETIME2

revision = "0001"
down_revision = None
_METADATA = sa.MetaData()
_MOMENT = sa.DateTime().with_variant(DATETIME2(6), "mssql")  # type: ignore[no-untyped-call]

_SOUNDTRACKS = sa.Table(
    "SOUNDTRACKS",
    _METADATA,
    sa.Column("TRACK_ID", sa.String(16), primary_key=True),
    sa.Column("SHARD", sa.String(2), nullable=False, index=True),
    sa.Column("BLOB_NAME", sa.Unicode(2048), nullable=False),
    sa.Column("ETAG", sa.String(128), nullable=False),
    sa.Column("BYTES", sa.BigInteger, nullable=False),
    sa.Column("CONTENT_DIGEST", sa.String(32), nullable=False),
    sa.Column("TITLE", sa.Unicode(255), nullable=False),
    sa.Column("ARTIST", sa.Unicode(255), nullable=False),
    sa.Column("ALBUM", sa.Unicode(255), nullable=False),
    sa.Column("GENRE", sa.Unicode(255), nullable=False),
    sa.Column("TRACK_NUMBER", sa.Integer),
    sa.Column("YEAR", sa.Integer),
    sa.Column("ARTWORK", sa.Unicode(255), nullable=False),
    sa.Column("AUDIO_ID", sa.String(32), index=True),
    sa.Column("ANALYSED_DIGEST", sa.String(32)),
    sa.Column("SECONDS", sa.Float),
    sa.Column("NOTE", sa.Unicode(255), nullable=False),
    sa.Column("RUN_ID", sa.String(64), nullable=False),
    sa.Column("OBSERVED_AT", _MOMENT, nullable=False),
)

sa.Table(
    "CONTENTS",
    _METADATA,
    sa.Column("CONTENT_DIGEST", sa.String(32), primary_key=True),
    sa.Column("AUDIO_ID", sa.String(32), nullable=False),
    sa.Column("SECONDS", sa.Float, nullable=False),
    sa.Column("NOTE", sa.Unicode(255), nullable=False),
)

sa.Table(
    "REJECTS",
    _METADATA,
    sa.Column("SUBJECT_ID", sa.String(32), primary_key=True),
    sa.Column("CONTAINER", sa.String(63), nullable=False),
    sa.Column("BLOB_NAME", sa.Unicode(2048), nullable=False),
    sa.Column("CODE", sa.String(32), nullable=False),
    sa.Column("REASON", sa.Unicode(2048), nullable=False),
    sa.Column("RUN_ID", sa.String(64), nullable=False),
    sa.Column("REJECTED_AT", _MOMENT, nullable=False),
)

_RECOMMENDATIONS = sa.Table(
    "RECOMMENDATIONS",
    _METADATA,
    sa.Column("QUERY_ID", sa.String(32), primary_key=True),
    sa.Column("RANK", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column(
        "TRACK_ID", sa.String(16), sa.ForeignKey("SOUNDTRACKS.TRACK_ID", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("DISTANCE", sa.Float, nullable=False),
    sa.Column("METHOD", sa.String(32), nullable=False),
    sa.Column("INDEX_VERSION", sa.String(32), nullable=False),
    sa.Column("RUN_ID", sa.String(64), nullable=False),
    sa.Column("CREATED_AT", _MOMENT, nullable=False),
    sa.UniqueConstraint("QUERY_ID", "TRACK_ID"),
)

_TRACK = _SOUNDTRACKS.alias("TRACK")
_QUERY = _SOUNDTRACKS.alias("QUERY")

VIEW = (
    sa.select(
        _RECOMMENDATIONS.c.QUERY_ID,
        _QUERY.c.TITLE.label("QUERY_TITLE"),
        _QUERY.c.ARTIST.label("QUERY_ARTIST"),
        _RECOMMENDATIONS.c.RANK,
        _RECOMMENDATIONS.c.TRACK_ID,
        *(_TRACK.c[name] for name in ("TITLE", "ARTIST", "ALBUM", "GENRE", "SECONDS", "BLOB_NAME", "ARTWORK")),
        *(_RECOMMENDATIONS.c[name] for name in ("DISTANCE", "METHOD", "INDEX_VERSION", "CREATED_AT")),
    )
    .join(_TRACK, _TRACK.c.TRACK_ID == _RECOMMENDATIONS.c.TRACK_ID)
    .outerjoin(_QUERY, _QUERY.c.TRACK_ID == _RECOMMENDATIONS.c.QUERY_ID)
)


def upgrade() -> None:
    there = _names_there()
    for table in _METADATA.sorted_tables:
        if table.name not in there:
            op.execute(sa.schema.CreateTable(table))
            for index in sorted(table.indexes, key=lambda index: str(index.name)):
                op.execute(sa.schema.CreateIndex(index))
    if "RECOMMENDED_SOUNDTRACKS" not in there:
        dialect = op.get_context().dialect
        name = dialect.identifier_preparer.quote("RECOMMENDED_SOUNDTRACKS")
        # The view has a statement of its own, as SQL Server demands.
        op.execute(f"CREATE VIEW {name} AS {VIEW.compile(dialect=dialect)}")


def _names_there() -> set[str]:
    if context.is_offline_mode():
        return set()
    inspector = sa.inspect(op.get_bind())
    return {*inspector.get_table_names(), *inspector.get_view_names()}
