"""The files that soundtracks were copied from."""

from dataclasses import asdict, dataclass

from mfcc_assets.ids import track_id
from mfcc_assets.storage.sql.database import Database, reconnecting
from mfcc_assets.storage.sql.rows import named_columns, read_records, select_record
from mfcc_assets.storage.sql.schema import ADDED_FILES
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
        with self._database.writing() as connection:
            connection.execute(_UPSERT, {"TRACK_ID": track_id(added.blob_name), **named_columns(asdict(added))})
