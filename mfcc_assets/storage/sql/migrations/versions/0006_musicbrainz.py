"""The ids of MusicBrainz in the tags of a soundtrack: its recording, its release and its artists."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_COLUMNS = (
    sa.Column("RECORDING_MBID", sa.String(36), nullable=False, server_default=""),
    sa.Column("RELEASE_MBID", sa.String(36), nullable=False, server_default=""),
    sa.Column("ARTIST_MBIDS", sa.Unicode(4000), nullable=False, server_default=""),
)


def upgrade() -> None:
    for column in _COLUMNS:
        op.add_column("SOUNDTRACKS", column)
    # A file whose ETag has changed is observed again. So the next run reads the tags of every file, but decodes none.
    op.execute(sa.update(sa.table("SOUNDTRACKS", sa.column("ETAG", sa.String(128)))).values(ETAG=""))
