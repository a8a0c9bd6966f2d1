"""The schema of the library's database.

SOUNDTRACKS       one row per soundtrack: its blob, its tags and its audio
CONTENTS          the audio that the bytes of a file hold, so that no bytes are analysed twice
REJECTS           files that cannot be used, with the reasons
SKIPPED_FILES       files in the container `soundtracks` whose content is not music, so that they are not read again
ADDED_FILES       the file that each soundtrack was copied from, so that only this file replaces it
API_KEYS          the keys of users and programs, as hashes
RECOMMENDATIONS   one row per query and rank; deleting a soundtrack deletes its rows
RECOMMENDED_SHARDS        the version of the index whose lists all soundtracks of a shard have
RECOMMENDED_SOUNDTRACKS   the view for readers: recommendations with titles and artwork

To change the schema, change it here and write a migration: see `mfcc_assets.storage.sql.migrations`.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.mssql import DATETIME2

REVISION = "0007"
"""The newest migration. With it here, checking a database does not import Alembic, which is slow to import."""

LONGEST_NOTE = 255
LONGEST_REASON = 2048
LONGEST_LIST = 4000
"""UTF-16 code units of a list of texts, the most that a column of SQL Server has without being unlimited."""

LONGEST_KEY_NAME = 64
"""UTF-16 code units of the name of the user or program of an API key."""

LONGEST_KEY = 400
"""UTF-16 code units of a text to sort by. SQL Server has indexes of keys of at most 900 bytes."""

METADATA = sa.MetaData()
_ID = sa.String(32)
_MBID = sa.String(36)

# DATETIME in SQL Server has steps of 3.3 ms.
_MOMENT = sa.DateTime().with_variant(DATETIME2(6), "mssql")  # type: ignore[no-untyped-call]

# A text to sort by. Without these collations, each server would sort by the rules of its own language.
_KEY = (
    sa.Unicode(LONGEST_KEY)
    .with_variant(sa.Unicode(LONGEST_KEY, collation="C"), "postgresql")
    .with_variant(sa.Unicode(LONGEST_KEY, collation="Latin1_General_100_BIN2"), "mssql")
)

# SQL Server counts UTF-16 code units. A name has up to 1,024 characters, and an emoji has two units.
_BLOB_NAME = sa.Unicode(2048)


class TextList(sa.types.TypeDecorator[Sequence[str]]):
    """A list of texts, as JSON. An empty list is an empty text. The last texts of a list that is too long are lost."""

    impl = sa.Unicode
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: sa.Dialect) -> str:  # noqa: ARG002
        texts = list(value or ())
        while len((written := json.dumps(texts, ensure_ascii=False)).encode("utf-16-le")) > 2 * LONGEST_LIST:
            texts.pop()
        return written if texts else ""

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> tuple[str, ...]:  # noqa: ARG002
        return tuple(json.loads(value)) if value else ()


class UtcTime(sa.types.TypeDecorator[datetime]):
    """A time with the time zone UTC. The column holds it without the zone."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(_MOMENT.dialect_impl(dialect))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return value and value.replace(tzinfo=UTC)


SOUNDTRACKS = sa.Table(
    "SOUNDTRACKS",
    METADATA,
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
    # The audio of the bytes that were analysed last. It stays in use while a changed file waits.
    sa.Column("AUDIO_ID", _ID, index=True),
    sa.Column("ANALYSED_DIGEST", _ID),
    sa.Column("SECONDS", sa.Float),
    sa.Column("NOTE", sa.Unicode(LONGEST_NOTE), nullable=False),
    sa.Column("RUN_ID", sa.String(64), nullable=False),
    sa.Column("OBSERVED_AT", _MOMENT, nullable=False),
    sa.Column("ALBUM_ARTIST", sa.Unicode(255), nullable=False, server_default=""),
    sa.Column("ARTISTS", TextList(LONGEST_LIST), nullable=False, server_default=""),
    sa.Column("DISC_NUMBER", sa.Integer),
    sa.Column("TAGS_NOTE", sa.Unicode(LONGEST_NOTE), nullable=False, server_default=""),
    # When the soundtrack came into the library. OBSERVED_AT is when its file was last read.
    sa.Column("ADDED_AT", UtcTime, nullable=False, server_default="1970-01-01 00:00:00"),
    # The texts of `mfcc_assets.storage.sql.browse_keys`, by which pages sort, filter and search.
    sa.Column("BY_TITLE", _KEY, nullable=False, server_default=""),
    sa.Column("BY_ARTIST", _KEY, nullable=False, server_default=""),
    sa.Column("BY_ALBUM", _KEY, nullable=False, server_default=""),
    sa.Column("BY_YEAR", _KEY, nullable=False, server_default=""),
    sa.Column("ARTIST_KEY", _KEY, nullable=False, server_default=""),
    sa.Column("ALBUM_KEY", _KEY, nullable=False, server_default=""),
    sa.Column("GENRE_KEYS", _KEY, nullable=False, server_default=""),
    sa.Column("SEARCH_TEXT", sa.Unicode(LONGEST_LIST), nullable=False, server_default=""),
    # The ids of MusicBrainz in the tags.
    sa.Column("RECORDING_MBID", _MBID, nullable=False, server_default=""),
    sa.Column("RELEASE_MBID", _MBID, nullable=False, server_default=""),
    sa.Column("ARTIST_MBIDS", TextList(LONGEST_LIST), nullable=False, server_default=""),
    # A page begins behind the last row of the page before it, which the id tells apart from rows with equal texts.
    sa.Index("SOUNDTRACKS_BY_TITLE", "BY_TITLE", "TRACK_ID"),
    sa.Index("SOUNDTRACKS_BY_ARTIST", "BY_ARTIST", "TRACK_ID"),
    sa.Index("SOUNDTRACKS_BY_ALBUM", "BY_ALBUM", "TRACK_ID"),
    sa.Index("SOUNDTRACKS_BY_YEAR", "BY_YEAR", "TRACK_ID"),
    sa.Index("SOUNDTRACKS_BY_ADDED_AT", "ADDED_AT", "TRACK_ID"),
    sa.Index("SOUNDTRACKS_OF_ARTIST", "ARTIST_KEY"),
    sa.Index("SOUNDTRACKS_OF_ALBUM", "ALBUM_KEY"),
    # The lists of years and genres read nothing but these.
    sa.Index("SOUNDTRACKS_OF_YEAR", "YEAR", "SECONDS"),
    sa.Index("SOUNDTRACKS_OF_GENRE", "GENRE", "SECONDS"),
)

CONTENTS = sa.Table(
    "CONTENTS",
    METADATA,
    sa.Column("CONTENT_DIGEST", _ID, primary_key=True),
    sa.Column("AUDIO_ID", _ID, nullable=False),
    sa.Column("SECONDS", sa.Float, nullable=False),
    sa.Column("NOTE", sa.Unicode(LONGEST_NOTE), nullable=False),
)

REJECTS = sa.Table(
    "REJECTS",
    METADATA,
    sa.Column("SUBJECT_ID", _ID, primary_key=True),
    sa.Column("CONTAINER", sa.String(63), nullable=False),
    sa.Column("BLOB_NAME", _BLOB_NAME, nullable=False),
    sa.Column("CODE", sa.String(32), nullable=False),
    sa.Column("REASON", sa.Unicode(LONGEST_REASON), nullable=False),
    sa.Column("RUN_ID", sa.String(64), nullable=False),
    sa.Column("REJECTED_AT", _MOMENT, nullable=False),
)

SKIPPED_FILES = sa.Table(
    "SKIPPED_FILES",
    METADATA,
    sa.Column("TRACK_ID", sa.String(16), primary_key=True),
    sa.Column("SHARD", sa.String(2), nullable=False, index=True),
    sa.Column("BLOB_NAME", _BLOB_NAME, nullable=False),
    sa.Column("ETAG", sa.String(128), nullable=False),
    sa.Column("KIND", sa.String(64), nullable=False),
)

ADDED_FILES = sa.Table(
    "ADDED_FILES",
    METADATA,
    sa.Column("TRACK_ID", sa.String(16), primary_key=True),
    sa.Column("BLOB_NAME", _BLOB_NAME, nullable=False),
    # A path has up to 4,096 bytes, and each may take three characters of an address.
    sa.Column("SOURCE", sa.Text, nullable=False),
    sa.Column("CONTENT_DIGEST", _ID, nullable=False),
    sa.Column("ADDED_AT", sa.Float, nullable=False),
)

API_KEYS = sa.Table(
    "API_KEYS",
    METADATA,
    sa.Column("KEY_ID", sa.String(16), primary_key=True),
    sa.Column("NAME", sa.Unicode(LONGEST_KEY_NAME), nullable=False),
    sa.Column("IS_OPERATOR", sa.Boolean, nullable=False),
    sa.Column("KEY_HASH", sa.String(64), nullable=False),
    sa.Column("CREATED_AT", UtcTime, nullable=False),
    sa.Column("REVOKED_AT", UtcTime),
)

RECOMMENDATIONS = sa.Table(
    "RECOMMENDATIONS",
    METADATA,
    sa.Column("QUERY_ID", _ID, primary_key=True),
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

RECOMMENDED_SHARDS = sa.Table(
    "RECOMMENDED_SHARDS",
    METADATA,
    sa.Column("SHARD", sa.String(2), primary_key=True),
    sa.Column("INDEX_VERSION", sa.String(32), nullable=False),
    # Digest of everything else that the lists were made from.
    sa.Column("MADE_FROM", sa.String(32), nullable=False),
)

# The query of the view is in the newest migration that made it.
RECOMMENDED_SOUNDTRACKS = sa.table(
    "RECOMMENDED_SOUNDTRACKS",
    *map(
        sa.column,
        (
            "QUERY_ID",
            "QUERY_TITLE",
            "QUERY_ARTIST",
            "RANK",
            "TRACK_ID",
            "TITLE",
            "ARTIST",
            "ALBUM",
            "GENRE",
            "SECONDS",
            "BLOB_NAME",
            "ARTWORK",
            "DISTANCE",
            "METHOD",
            "INDEX_VERSION",
            "CREATED_AT",
        ),
    ),
)

VERSIONS = sa.table("alembic_version", sa.column("version_num"))
"""The table in which Alembic keeps the revision of a database."""
