"""The schema of the library's database.

SOUNDTRACKS       a row a soundtrack: where it lies, its tags, its audio
CONTENTS          what audio the bytes of a file hold, so that no bytes are analysed twice
REJECTS           what could not be used, and why
RECOMMENDATIONS   a row a query and rank; a row of a track that is gone goes with it
RECOMMENDED_SOUNDTRACKS   the view that a page reads: recommendations with titles and artwork
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mfcc_assets.core.errors import StoreError
from mfcc_assets.stores.database import Database

LONGEST_NOTE = 255
LONGEST_REASON = 2048

_METADATA = sa.MetaData()
_ID = sa.String(32)
# SQL Server counts UTF-16 code units: of the 1,024 characters of a name an emoji takes two.
_BLOB_NAME = sa.Unicode(2048)

SOUNDTRACKS = sa.Table(
    "SOUNDTRACKS",
    _METADATA,
    sa.Column("TRACK_ID", sa.String(16), primary_key=True),
    sa.Column("SHARD", sa.String(2), nullable=False, index=True),
    sa.Column("BLOB_NAME", _BLOB_NAME, nullable=False),
    sa.Column("ETAG", sa.String(128), nullable=False),
    sa.Column("BYTES", sa.BigInteger, nullable=False),
    sa.Column("CONTENT_DIGEST", _ID, nullable=False),
    sa.Column("TITLE", sa.Unicode(255), nullable=False),
    sa.Column("ARTIST", sa.Unicode(255), nullable=False),
    sa.Column("ALBUM", sa.Unicode(255), nullable=False),
    sa.Column("GENRE", sa.Unicode(255), nullable=False),
    sa.Column("TRACK_NUMBER", sa.Integer),
    sa.Column("YEAR", sa.Integer),
    sa.Column("ARTWORK", sa.Unicode(255), nullable=False),
    # The audio of the bytes last analysed: it keeps serving while a changed file waits for its turn.
    sa.Column("AUDIO_ID", _ID, index=True),
    sa.Column("ANALYSED_DIGEST", _ID),
    sa.Column("SECONDS", sa.Float),
    sa.Column("NOTE", sa.Unicode(LONGEST_NOTE), nullable=False),
    sa.Column("RUN_ID", sa.String(64), nullable=False),
    sa.Column("OBSERVED_AT", sa.DateTime, nullable=False),
)

CONTENTS = sa.Table(
    "CONTENTS",
    _METADATA,
    sa.Column("CONTENT_DIGEST", _ID, primary_key=True),
    sa.Column("AUDIO_ID", _ID, nullable=False),
    sa.Column("SECONDS", sa.Float, nullable=False),
    sa.Column("NOTE", sa.Unicode(LONGEST_NOTE), nullable=False),
)

REJECTS = sa.Table(
    "REJECTS",
    _METADATA,
    sa.Column("SUBJECT_ID", _ID, primary_key=True),
    sa.Column("CONTAINER", sa.String(63), nullable=False),
    sa.Column("BLOB_NAME", _BLOB_NAME, nullable=False),
    sa.Column("CODE", sa.String(32), nullable=False),
    sa.Column("REASON", sa.Unicode(LONGEST_REASON), nullable=False),
    sa.Column("RUN_ID", sa.String(64), nullable=False),
    sa.Column("REJECTED_AT", sa.DateTime, nullable=False),
)

RECOMMENDATIONS = sa.Table(
    "RECOMMENDATIONS",
    _METADATA,
    sa.Column("QUERY_ID", _ID, primary_key=True),
    sa.Column("RANK", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column(
        "TRACK_ID", sa.String(16), sa.ForeignKey("SOUNDTRACKS.TRACK_ID", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("DISTANCE", sa.Float, nullable=False),
    sa.Column("METHOD", sa.String(32), nullable=False),
    sa.Column("INDEX_VERSION", sa.String(32), nullable=False),
    sa.Column("RUN_ID", sa.String(64), nullable=False),
    sa.Column("CREATED_AT", sa.DateTime, nullable=False),
    sa.UniqueConstraint("QUERY_ID", "TRACK_ID"),
)

_QUERY = SOUNDTRACKS.alias("QUERY")
_VIEW_NAME = "RECOMMENDED_SOUNDTRACKS"
_VIEW = (
    sa.select(
        RECOMMENDATIONS.c.QUERY_ID,
        _QUERY.c.TITLE.label("QUERY_TITLE"),
        _QUERY.c.ARTIST.label("QUERY_ARTIST"),
        RECOMMENDATIONS.c.RANK,
        RECOMMENDATIONS.c.TRACK_ID,
        SOUNDTRACKS.c.TITLE,
        SOUNDTRACKS.c.ARTIST,
        SOUNDTRACKS.c.ALBUM,
        SOUNDTRACKS.c.GENRE,
        SOUNDTRACKS.c.SECONDS,
        SOUNDTRACKS.c.BLOB_NAME,
        SOUNDTRACKS.c.ARTWORK,
        RECOMMENDATIONS.c.DISTANCE,
        RECOMMENDATIONS.c.METHOD,
        RECOMMENDATIONS.c.INDEX_VERSION,
        RECOMMENDATIONS.c.CREATED_AT,
    )
    .select_from(RECOMMENDATIONS)
    .join(SOUNDTRACKS, SOUNDTRACKS.c.TRACK_ID == RECOMMENDATIONS.c.TRACK_ID)
    .outerjoin(_QUERY, _QUERY.c.TRACK_ID == RECOMMENDATIONS.c.QUERY_ID)
)
RECOMMENDED_SOUNDTRACKS = sa.table(_VIEW_NAME, *(sa.column(column.name) for column in _VIEW.selected_columns))


def ensure_schema(database: Database) -> None:
    """Make the tables and the view where they are missing.

    Raises
    ------
    StoreError
        If the database refuses.
    """
    if _has_schema(database):
        return
    try:
        with database.writing() as connection:
            _METADATA.create_all(connection)
            if not _has_view(connection):
                written = _VIEW.compile(connection, compile_kwargs={"literal_binds": True})
                connection.exec_driver_sql(f'CREATE VIEW "{_VIEW_NAME}" AS {written}')
    except StoreError:
        # Of processes that begin at once, PostgreSQL refuses all but the first, once that one is done.
        if not _has_schema(database):
            raise


def _has_schema(database: Database) -> bool:
    # The view is made last.
    with database.reading() as connection:
        return _has_view(connection)


def _has_view(connection: Connection) -> bool:
    return _VIEW_NAME in sa.inspect(connection).get_view_names()
