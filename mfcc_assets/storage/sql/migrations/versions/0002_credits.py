"""Album artist, list of artists, disc number, and the note on the tags of a soundtrack."""

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"

_COLUMNS = (
    sa.Column("ALBUM_ARTIST", sa.Unicode(255), nullable=False, server_default=""),
    sa.Column("ARTISTS", sa.Unicode(4000), nullable=False, server_default=""),
    sa.Column("DISC_NUMBER", sa.Integer),
    sa.Column("TAGS_NOTE", sa.Unicode(255), nullable=False, server_default=""),
)


def upgrade() -> None:
    there = _columns_there()
    for column in _COLUMNS:
        if column.name not in there:
            op.add_column("SOUNDTRACKS", column)
    # A file whose ETag has changed is observed again. So the next run reads the tags of every file, but decodes none.
    op.execute(sa.update(sa.table("SOUNDTRACKS", sa.column("ETAG", sa.String(128)))).values(ETAG=""))


def _columns_there() -> set[str]:
    if context.is_offline_mode():
        return set()
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns("SOUNDTRACKS")}
