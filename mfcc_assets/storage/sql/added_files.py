"""The files that soundtracks were copied from."""

from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mfcc_assets.ids import TrackId, free_track_id, track_id
from mfcc_assets.storage.sql.database import Database, reconnecting
from mfcc_assets.storage.sql.rows import existing, named_columns, read_records, select_record
from mfcc_assets.storage.sql.schema import ADDED_FILES, SOUNDTRACKS
from mfcc_assets.storage.sql.upserts import Upsert

_UPSERT = Upsert(ADDED_FILES)


@dataclass(frozen=True)
class AddedFile:
    """A file that was copied into the container `soundtracks`.

    Attributes
    ----------
    blob_name
        Name of the soundtrack.
    source
        Address of the file that it was copied from: ``file:`` with the machine, if it is known, and the resolved path.
    content_digest
        Digest of the bytes that were copied.
    added_at
        Time before they were read, in seconds since 1970.
    """

    blob_name: str
    source: str
    content_digest: str
    added_at: float


@reconnecting
class AddedFiles:
    """The file that each soundtrack was copied from. Soundtracks that came by other means have none.

    `mfcc_assets.storage.sql.catalogue.Catalogue` forgets the file of a soundtrack that is gone.

    Parameters
    ----------
    database
        Database with the newest schema.

    Raises
    ------
    StoreError
        From every method, if the database cannot be reached, is locked for too long, or refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def every(self) -> list[AddedFile]:
        """Return all added files, sorted by the names of their soundtracks."""
        query = select_record(AddedFile, ADDED_FILES).order_by(ADDED_FILES.c.BLOB_NAME, ADDED_FILES.c.TRACK_ID)
        return read_records(self._database, AddedFile, query)

    def record(self, added: AddedFile) -> None:
        """Store which file a soundtrack was copied from. It replaces what was stored about this soundtrack."""
        named = sa.select(SOUNDTRACKS.c.TRACK_ID, SOUNDTRACKS.c.BLOB_NAME).where(
            SOUNDTRACKS.c.BLOB_NAME == added.blob_name
        )
        with self._database.writing() as connection:
            # A soundtrack that was renamed has an id that its present name does not give.
            known = [track for track, name in connection.execute(named) if name == added.blob_name]
            track = known[0] if known else self._free_id(connection, added.blob_name)
            connection.execute(_UPSERT, {"TRACK_ID": track, **named_columns(asdict(added))})

    def _free_id(self, connection: Connection, name: str) -> TrackId:
        track, taken = track_id(name), set[TrackId]()
        while existing(connection, SOUNDTRACKS.c.TRACK_ID, [track]):
            taken.add(track)
            track = free_track_id(name, taken)
        return track
