"""The texts and indexes by which pages sort, filter and search soundtracks, and when each came into the library."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.mssql import DATETIME2

from mfcc_assets.audio.tags import Tags
from mfcc_assets.storage.sql.browse_keys import browse_keys

revision = "0004"
down_revision = "0003"

_ROWS_AT_ONCE = 1000
_MOMENT = sa.DateTime().with_variant(DATETIME2(6), "mssql")  # type: ignore[no-untyped-call]
_KEY = (
    sa.Unicode(400)
    .with_variant(sa.Unicode(400, collation="C"), "postgresql")
    .with_variant(sa.Unicode(400, collation="Latin1_General_100_BIN2"), "mssql")
)
_KEYS = ("BY_TITLE", "BY_ARTIST", "BY_ALBUM", "BY_YEAR", "ARTIST_KEY", "ALBUM_KEY", "GENRE_KEYS")

_TAGS = (
    "title",
    "artist",
    "album",
    "genre",
    "album_artist",
    "artists",
    "track_number",
    "disc_number",
    "year",
)

_INDEXES = {
    "SOUNDTRACKS_BY_TITLE": ("BY_TITLE", "TRACK_ID"),
    "SOUNDTRACKS_BY_ARTIST": ("BY_ARTIST", "TRACK_ID"),
    "SOUNDTRACKS_BY_ALBUM": ("BY_ALBUM", "TRACK_ID"),
    "SOUNDTRACKS_BY_YEAR": ("BY_YEAR", "TRACK_ID"),
    "SOUNDTRACKS_BY_ADDED_AT": ("ADDED_AT", "TRACK_ID"),
    "SOUNDTRACKS_OF_ARTIST": ("ARTIST_KEY",),
    "SOUNDTRACKS_OF_ALBUM": ("ALBUM_KEY",),
    "SOUNDTRACKS_OF_YEAR": ("YEAR", "SECONDS"),
    "SOUNDTRACKS_OF_GENRE": ("GENRE", "SECONDS"),
}

_TRACKS = sa.table(
    "SOUNDTRACKS",
    sa.column("TRACK_ID", sa.String(16)),
    sa.column("BLOB_NAME", sa.Unicode(2048)),
    *(sa.column(name, sa.Unicode(255)) for name in ("TITLE", "ARTIST", "ALBUM", "GENRE", "ALBUM_ARTIST")),
    sa.column("ARTISTS", sa.Unicode(4000)),
    *(sa.column(name, sa.Integer) for name in ("TRACK_NUMBER", "DISC_NUMBER", "YEAR")),
    sa.column("OBSERVED_AT", _MOMENT),
    sa.column("ADDED_AT", _MOMENT),
    *(sa.column(name, _KEY) for name in _KEYS),
    sa.column("SEARCH_TEXT", sa.Unicode(4000)),
)


def upgrade() -> None:
    op.add_column("SOUNDTRACKS", sa.Column("ADDED_AT", _MOMENT, nullable=False, server_default="1970-01-01 00:00:00"))
    for name in _KEYS:
        op.add_column("SOUNDTRACKS", sa.Column(name, _KEY, nullable=False, server_default=""))
    op.add_column("SOUNDTRACKS", sa.Column("SEARCH_TEXT", sa.Unicode(4000), nullable=False, server_default=""))
    # Nobody knows when the soundtracks came into the library, but not after they were last read.
    op.execute(sa.update(_TRACKS).values(ADDED_AT=_TRACKS.c.OBSERVED_AT))
    if not context.is_offline_mode():  # the printed statements are for an empty database
        _fill(op.get_bind())
    for name, columns in _INDEXES.items():
        op.create_index(name, "SOUNDTRACKS", columns)


def _fill(connection: sa.Connection) -> None:
    named = (*_KEYS, "SEARCH_TEXT")
    change = sa.update(_TRACKS).where(_TRACKS.c.TRACK_ID == sa.bindparam("track"))
    for tracks in _batches(connection):
        rows = []
        for track_id, blob_name, tags in tracks:
            keys = {name.upper(): key for name, key in asdict(browse_keys(tags, blob_name)).items()}
            rows.append({"track": track_id, **{name: keys[name] for name in named}})
        connection.execute(change.values({name: sa.bindparam(name) for name in named}), rows)


def _batches(connection: sa.Connection) -> Iterator[list[tuple[str, str, Tags]]]:
    columns = (_TRACKS.c.TRACK_ID, _TRACKS.c.BLOB_NAME, *(_TRACKS.c[tag.upper()] for tag in _TAGS))
    query = sa.select(*columns).order_by(_TRACKS.c.TRACK_ID).limit(_ROWS_AT_ONCE)
    last = ""
    while rows := connection.execute(query.where(last < _TRACKS.c.TRACK_ID)).all():
        yield [(track_id, blob_name, _tags(values)) for track_id, blob_name, *values in rows]
        last = rows[-1].TRACK_ID


def _tags(values: Iterable[Any]) -> Tags:
    found = dict(zip(_TAGS, values, strict=True))
    return Tags(**found | {"artists": tuple(json.loads(found["artists"] or "[]"))})
