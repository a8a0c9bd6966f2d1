"""Rows of SOUNDTRACKS that get another name or go, with the rows of other tables that follow from them."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mfcc_assets.ids import TrackId
from mfcc_assets.storage.sql.rows import batches, existing
from mfcc_assets.storage.sql.schema import ADDED_FILES, RECOMMENDATIONS, REJECTS, SOUNDTRACKS


def record_names(connection: Connection, names: Mapping[TrackId, str]) -> None:
    """Store what follows from the new names of soundtracks. The rows of SOUNDTRACKS still have the former ones."""
    former: dict[TrackId, str] = {}
    for ids in batches(sorted(names)):
        query = sa.select(SOUNDTRACKS.c.TRACK_ID, SOUNDTRACKS.c.BLOB_NAME).where(SOUNDTRACKS.c.TRACK_ID.in_(ids))
        former |= {TrackId(track): name for track, name in connection.execute(query)}
    renamed = [track for track, name in sorted(names.items()) if former.get(track, name) != name]
    for ids in batches(renamed):
        # The reason of a reject begins with the name of its file, so the file is examined again.
        is_reject = SOUNDTRACKS.c.TRACK_ID.in_(ids) & SOUNDTRACKS.c.AUDIO_ID.is_(None)
        connection.execute(sa.delete(REJECTS).where(REJECTS.c.SUBJECT_ID.in_(ids)))
        connection.execute(sa.update(SOUNDTRACKS).where(is_reject).values(NOTE="", ANALYSED_DIGEST=None))
    added_anew = tracks_of_names(connection, ADDED_FILES, [names[track] for track in renamed])
    others = existing(connection, SOUNDTRACKS.c.TRACK_ID, [*added_anew.values()])
    for track in renamed:
        key = added_anew.get(names[track])
        if key is not None and key not in others:
            # The file was copied into the library under its new name after it was deleted there under the former one.
            connection.execute(sa.delete(ADDED_FILES).where(ADDED_FILES.c.TRACK_ID == track))
            is_own = ADDED_FILES.c.TRACK_ID == key
        else:
            is_own = ADDED_FILES.c.TRACK_ID == track
        connection.execute(sa.update(ADDED_FILES).where(is_own).values(TRACK_ID=track, BLOB_NAME=names[track]))


def tracks_of_names(connection: Connection, table: sa.Table, names: Sequence[str]) -> dict[str, TrackId]:
    """Return the track ids in the rows of a table that have these names, by name."""
    found: dict[str, TrackId] = {}
    for some in batches(sorted(names)):
        rows = connection.execute(sa.select(table.c.BLOB_NAME, table.c.TRACK_ID).where(table.c.BLOB_NAME.in_(some)))
        wanted = set(some)  # some databases also find "a" if they are asked for "A"
        found |= {name: TrackId(track) for name, track in rows if name in wanted}
    return found


def delete_soundtracks(connection: Connection, track_ids: Sequence[TrackId]) -> None:
    """Delete soundtracks with their recommendations and rejects."""
    for ids in batches(track_ids):
        connection.execute(sa.delete(RECOMMENDATIONS).where(RECOMMENDATIONS.c.QUERY_ID.in_(ids)))
        connection.execute(sa.delete(REJECTS).where(REJECTS.c.SUBJECT_ID.in_(ids)))
        connection.execute(sa.delete(SOUNDTRACKS).where(SOUNDTRACKS.c.TRACK_ID.in_(ids)))
