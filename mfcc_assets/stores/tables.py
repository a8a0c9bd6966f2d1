"""The tables that serve recommendations, and the catalogue of the library: SQLAlchemy, SQLite by default.

SOUNDTRACKS       a row a soundtrack: where it lies, its tags, its audio
CONTENTS          what audio the bytes of a file hold, so that no bytes are analysed twice
REJECTS           what could not be used, and why
RECOMMENDATIONS   a row a query and rank; a row of a track that is gone goes with it
RECOMMENDED_SOUNDTRACKS   the view that a page reads: recommendations with titles and artwork
"""

import sqlite3
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from mfcc_assets.core.catalogue import shard_of, track_id
from mfcc_assets.core.errors import StoreError
from mfcc_assets.core.tags import Tags

LOCK_SECONDS = 30
"""How long a writer waits for another writer of SQLite. A nightly backup held the lock for 5 s."""

IDS_A_QUERY = 500
"""Ids in one IN list; SQL Server takes 2,100 parameters a statement."""

_METADATA = sa.MetaData()
_ID = sa.String(32)
# SQL Server counts UTF-16 code units: of the 1,024 characters of a name an emoji takes two.
_BLOB_NAME = sa.Unicode(2048)
_LONGEST_NOTE = 255
_LONGEST_REASON = 2048

_SOUNDTRACKS = sa.Table(
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
    sa.Column("NOTE", sa.Unicode(_LONGEST_NOTE), nullable=False),
    sa.Column("RUN_ID", sa.String(64), nullable=False),
    sa.Column("OBSERVED_AT", sa.DateTime, nullable=False),
)

_CONTENTS = sa.Table(
    "CONTENTS",
    _METADATA,
    sa.Column("CONTENT_DIGEST", _ID, primary_key=True),
    sa.Column("AUDIO_ID", _ID, nullable=False),
    sa.Column("SECONDS", sa.Float, nullable=False),
    sa.Column("NOTE", sa.Unicode(_LONGEST_NOTE), nullable=False),
)

_REJECTS = sa.Table(
    "REJECTS",
    _METADATA,
    sa.Column("SUBJECT_ID", _ID, primary_key=True),
    sa.Column("CONTAINER", sa.String(63), nullable=False),
    sa.Column("BLOB_NAME", _BLOB_NAME, nullable=False),
    sa.Column("CODE", sa.String(32), nullable=False),
    sa.Column("REASON", sa.Unicode(_LONGEST_REASON), nullable=False),
    sa.Column("RUN_ID", sa.String(64), nullable=False),
    sa.Column("REJECTED_AT", sa.DateTime, nullable=False),
)

_RECOMMENDATIONS = sa.Table(
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

# What was said against the former bytes says nothing of new ones: such a reject waits for its turn again.
_IS_REPLACED_REJECT = _SOUNDTRACKS.c.AUDIO_ID.is_(None) & (
    _SOUNDTRACKS.c.CONTENT_DIGEST != sa.bindparam("OBSERVED_DIGEST", type_=_ID)
)
_UPDATE_OBSERVED = (
    sa.update(_SOUNDTRACKS)
    .where(_SOUNDTRACKS.c.TRACK_ID == sa.bindparam("OBSERVED_ID"))
    .values(NOTE=sa.case((_IS_REPLACED_REJECT, ""), else_=_SOUNDTRACKS.c.NOTE))
)

_QUERY = _SOUNDTRACKS.alias("QUERY")
_VIEW_NAME = "RECOMMENDED_SOUNDTRACKS"
_VIEW = (
    sa.select(
        _RECOMMENDATIONS.c.QUERY_ID,
        _QUERY.c.TITLE.label("QUERY_TITLE"),
        _QUERY.c.ARTIST.label("QUERY_ARTIST"),
        _RECOMMENDATIONS.c.RANK,
        _RECOMMENDATIONS.c.TRACK_ID,
        _SOUNDTRACKS.c.TITLE,
        _SOUNDTRACKS.c.ARTIST,
        _SOUNDTRACKS.c.ALBUM,
        _SOUNDTRACKS.c.GENRE,
        _SOUNDTRACKS.c.SECONDS,
        _SOUNDTRACKS.c.BLOB_NAME,
        _SOUNDTRACKS.c.ARTWORK,
        _RECOMMENDATIONS.c.DISTANCE,
        _RECOMMENDATIONS.c.METHOD,
        _RECOMMENDATIONS.c.INDEX_VERSION,
        _RECOMMENDATIONS.c.CREATED_AT,
    )
    .select_from(_RECOMMENDATIONS)
    .join(_SOUNDTRACKS, _SOUNDTRACKS.c.TRACK_ID == _RECOMMENDATIONS.c.TRACK_ID)
    .outerjoin(_QUERY, _QUERY.c.TRACK_ID == _RECOMMENDATIONS.c.QUERY_ID)
)
_BY_NAME = (_SOUNDTRACKS.c.BLOB_NAME, _SOUNDTRACKS.c.TRACK_ID)  # a database may take "A" and "a" for one name
_LAST_NAME_FIRST = tuple(column.desc() for column in _BY_NAME)
_RECOMMENDED = sa.table(_VIEW_NAME, *(sa.column(column.name) for column in _VIEW.selected_columns))


@dataclass(frozen=True)
class Observed:
    """A soundtrack as its file shows it, before its audio is looked at."""

    blob_name: str
    etag: str
    bytes: int
    content_digest: str
    tags: Tags
    artwork: str

    @property
    def track_id(self) -> str:
        return track_id(self.blob_name)


@dataclass(frozen=True)
class Content:
    """What audio a file's bytes hold."""

    content_digest: str
    audio_id: str
    seconds: float
    note: str


@dataclass(frozen=True)
class Soundtrack:
    """A row of SOUNDTRACKS."""

    track_id: str
    blob_name: str
    content_digest: str
    title: str
    artist: str
    album: str
    genre: str
    artwork: str
    audio_id: str | None
    analysed_digest: str | None
    seconds: float | None
    note: str

    @property
    def is_waiting(self) -> bool:
        """Whether the file's bytes were not looked at yet."""
        return self.analysed_digest != self.content_digest and not self.is_rejected

    @property
    def is_rejected(self) -> bool:
        """Whether the audio could not be used; the note says why."""
        return self.audio_id is None and bool(self.note)

    @property
    def state(self) -> str:
        """``analysed``, ``rejected``, or ``waiting`` for its turn."""
        if self.is_rejected:
            return "rejected"
        return "waiting" if self.is_waiting else "analysed"


@dataclass(frozen=True)
class Reject:
    """A file that could not be used, and why; the subject is its track id or upload id."""

    subject_id: str
    container: str
    blob_name: str
    code: str
    reason: str


@dataclass(frozen=True)
class Recommendation:
    """One place of a query's list."""

    rank: int
    track_id: str
    distance: float


@dataclass(frozen=True)
class Recommended:
    """A row of the view RECOMMENDED_SOUNDTRACKS."""

    query_id: str
    rank: int
    track_id: str
    title: str
    artist: str
    album: str
    seconds: float | None
    blob_name: str
    artwork: str
    distance: float
    method: str
    index_version: str


_Record = TypeVar("_Record")


class Tables:
    """The library's catalogue and the recommendations, in any database that SQLAlchemy speaks to.

    Parameters
    ----------
    url
        SQLAlchemy address. The schema is made where it is missing.

    Raises
    ------
    StoreError
        Here and from every method: the database cannot be reached, is locked for too long, or refuses.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        # Nobody who forgets to close leaves connections behind, of which Python 3.13 warns.
        weakref.finalize(self, self._engine.dispose)
        # Writers of SQLite take the lock when they begin: one that first read and then wrote would be refused at once.
        self._writer = self._engine.execution_options(writes=True)
        if not self._has_schema():
            self._create_schema()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._engine.dispose()

    def manifest(self, shards: Sequence[str]) -> dict[str, str]:
        """Version (ETag) of each soundtrack of these shards by the blob's name, as last observed."""
        columns = _SOUNDTRACKS.c
        query = sa.select(columns.BLOB_NAME, columns.ETAG).where(columns.SHARD.in_(shards))
        with self._reading() as connection:
            return {name: etag for name, etag in connection.execute(query)}  # noqa: C416

    def soundtracks(self, shards: Sequence[str] | None = None) -> list[Soundtrack]:
        """The soundtracks of these shards, or of all, by name."""
        query = _select(Soundtrack, _SOUNDTRACKS).order_by(*_BY_NAME)
        if shards is not None:
            query = query.where(_SOUNDTRACKS.c.SHARD.in_(shards))
        return self._all(Soundtrack, query)

    def progress(self) -> tuple[int, int]:
        """How many soundtracks were looked at, rejects among them, and how many there are."""
        columns = _SOUNDTRACKS.c
        is_rejected = columns.AUDIO_ID.is_(None) & (columns.NOTE != "")
        is_analysed = columns.ANALYSED_DIGEST == columns.CONTENT_DIGEST
        looked_at = sa.func.count(sa.case((is_rejected | is_analysed, 1)))
        with self._reading() as connection:
            done, total = connection.execute(sa.select(looked_at, sa.func.count()).select_from(_SOUNDTRACKS)).one()
        return int(done), int(total)

    def record_observed(
        self, observed: Sequence[Observed], gone: Sequence[str], *, shard_digits: int, run_id: str
    ) -> None:
        """Bring the catalogue up to date with files seen (new or changed) and names gone, in one transaction."""
        observed_at = _now()
        rows = {
            file.track_id: {
                "BLOB_NAME": file.blob_name,
                "ETAG": file.etag,
                "BYTES": file.bytes,
                "CONTENT_DIGEST": file.content_digest,
                **_columns(asdict(file.tags)),
                "ARTWORK": file.artwork,
                "RUN_ID": run_id,
                "OBSERVED_AT": observed_at,
            }
            for file in observed
        }
        with self._writing() as connection:
            known = _existing(connection, _SOUNDTRACKS.c.TRACK_ID, list(rows))
            new = [
                {"TRACK_ID": track, "SHARD": shard_of(track, shard_digits), "NOTE": "", **row}
                for track, row in rows.items()
                if track not in known
            ]
            # One statement for all rows: 1,000 files take 0.05 s instead of 1 s.
            if new:
                connection.execute(sa.insert(_SOUNDTRACKS), new)
            changed = [
                {"OBSERVED_ID": track, "OBSERVED_DIGEST": rows[track]["CONTENT_DIGEST"], **rows[track]}
                for track in sorted(known)
            ]
            if changed:
                connection.execute(_UPDATE_OBSERVED, changed)
            for ids in _batches([track_id(name) for name in gone]):
                connection.execute(sa.delete(_RECOMMENDATIONS).where(_RECOMMENDATIONS.c.QUERY_ID.in_(ids)))
                connection.execute(sa.delete(_REJECTS).where(_REJECTS.c.SUBJECT_ID.in_(ids)))
                connection.execute(sa.delete(_SOUNDTRACKS).where(_SOUNDTRACKS.c.TRACK_ID.in_(ids)))

    def contents(self, content_digests: Iterable[str]) -> dict[str, Content]:
        """What is known of these bytes, by content digest."""
        found: dict[str, Content] = {}
        for digests in _batches(sorted(set(content_digests))):
            query = _select(Content, _CONTENTS).where(_CONTENTS.c.CONTENT_DIGEST.in_(digests))
            found |= {content.content_digest: content for content in self._all(Content, query)}
        return found

    def record_content(self, content: Content, *, track: str | None = None) -> None:
        """Remember what audio some bytes hold and, of a soundtrack, that its audio is this."""
        with self._writing() as connection:
            connection.execute(sa.delete(_CONTENTS).where(_CONTENTS.c.CONTENT_DIGEST == content.content_digest))
            connection.execute(sa.insert(_CONTENTS).values(_columns(asdict(content))))
            if track is not None:
                self._update_analysis(
                    connection, track, content.audio_id, content.content_digest, content.seconds, content.note
                )
                connection.execute(sa.delete(_REJECTS).where(_REJECTS.c.SUBJECT_ID == track))

    def record_reject(self, reject: Reject, *, run_id: str, content_digest: str | None = None) -> None:
        """Remember why a file cannot be used.

        Parameters
        ----------
        content_digest
            Bytes of a soundtrack that need no second look; None where a setting could change the verdict.
        """
        with self._writing() as connection:
            connection.execute(sa.delete(_REJECTS).where(_REJECTS.c.SUBJECT_ID == reject.subject_id))
            row = _columns(asdict(reject)) | {"REASON": _fitting(reject.reason, _LONGEST_REASON)}
            connection.execute(sa.insert(_REJECTS).values({**row, "RUN_ID": run_id, "REJECTED_AT": _now()}))
            note = _fitting(reject.reason, _LONGEST_NOTE)
            self._update_analysis(connection, reject.subject_id, None, content_digest, None, note)

    def rejects(self) -> list[Reject]:
        """Everything that could not be used, by container and name."""
        return self._all(Reject, _select(Reject, _REJECTS).order_by(_REJECTS.c.CONTAINER, _REJECTS.c.BLOB_NAME))

    def tracks_of_audio(self, audio_ids: Iterable[str]) -> dict[str, Soundtrack]:
        """The soundtrack that stands for each audio, where there is one: the first by name among duplicates."""
        found: dict[str, Soundtrack] = {}
        for ids in _batches(sorted(set(audio_ids))):
            query = (
                _select(Soundtrack, _SOUNDTRACKS).where(_SOUNDTRACKS.c.AUDIO_ID.in_(ids)).order_by(*_LAST_NAME_FIRST)
            )
            found |= {str(track.audio_id): track for track in self._all(Soundtrack, query)}
        return found

    def audio(self) -> dict[str, str]:
        """Every audio of the library, with the track id of the soundtrack that stands for it."""
        query = sa.select(_SOUNDTRACKS.c.AUDIO_ID, _SOUNDTRACKS.c.TRACK_ID).where(_SOUNDTRACKS.c.AUDIO_ID.is_not(None))
        with self._reading() as connection:
            rows = connection.execute(query.order_by(*_LAST_NAME_FIRST)).all()
        return {audio_id: track for audio_id, track in rows}  # noqa: C416

    def stored_recommendations(self, query_ids: Sequence[str]) -> dict[str, list[tuple[str, str, Recommendation]]]:
        """Method, index version and place of each row of these queries, best first."""
        columns = _RECOMMENDATIONS.c
        wanted = (columns.QUERY_ID, columns.METHOD, columns.INDEX_VERSION, columns.RANK, columns.TRACK_ID)
        stored: dict[str, list[tuple[str, str, Recommendation]]] = {}
        with self._reading() as connection:
            for ids in _batches(query_ids):
                query = sa.select(*wanted, columns.DISTANCE).where(columns.QUERY_ID.in_(ids))
                for query_id, method, version, *place in connection.execute(query.order_by(columns.RANK)):
                    stored.setdefault(query_id, []).append((method, version, Recommendation(*place)))
        return stored

    def replace_recommendations(
        self,
        query_id: str,
        recommendations: Sequence[Recommendation],
        *,
        method: str,
        index_version: str,
        run_id: str,
    ) -> int:
        """Put a query's list in the place of its former one, in one transaction.

        Returns
        -------
        int
            Rows written. A track that went since the ranking was made is left out, and the ranks close up.
        """
        with self._writing() as connection:
            there = _existing(connection, _SOUNDTRACKS.c.TRACK_ID, [place.track_id for place in recommendations])
            connection.execute(sa.delete(_RECOMMENDATIONS).where(_RECOMMENDATIONS.c.QUERY_ID == query_id))
            rows = [
                {
                    "QUERY_ID": query_id,
                    "RANK": rank,
                    "TRACK_ID": place.track_id,
                    "DISTANCE": place.distance,
                    "METHOD": method,
                    "INDEX_VERSION": index_version,
                    "RUN_ID": run_id,
                    "CREATED_AT": _now(),
                }
                for rank, place in enumerate((place for place in recommendations if place.track_id in there), start=1)
            ]
            if rows:
                connection.execute(sa.insert(_RECOMMENDATIONS), rows)
        return len(rows)

    def recommended(self, query_id: str) -> list[Recommended]:
        """What the view holds for a query, best first."""
        query = _select(Recommended, _RECOMMENDED).where(_RECOMMENDED.c.QUERY_ID == query_id)
        return self._all(Recommended, query.order_by(_RECOMMENDED.c.RANK))

    def dangling_recommendations(self) -> int:
        """Rows of RECOMMENDATIONS whose track is gone: always 0 where foreign keys are enforced."""
        query = (
            sa.select(sa.func.count())
            .select_from(_RECOMMENDATIONS)
            .outerjoin(_SOUNDTRACKS, _SOUNDTRACKS.c.TRACK_ID == _RECOMMENDATIONS.c.TRACK_ID)
            .where(_SOUNDTRACKS.c.TRACK_ID.is_(None))
        )
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def _has_schema(self) -> bool:
        # The view is made last.
        with self._reading() as connection:
            return _has_view(connection)

    def _create_schema(self) -> None:
        try:
            with self._writing() as connection:
                _METADATA.create_all(connection)
                if not _has_view(connection):
                    written = _VIEW.compile(self._engine, compile_kwargs={"literal_binds": True})
                    connection.exec_driver_sql(f'CREATE VIEW "{_VIEW_NAME}" AS {written}')
        except StoreError:
            # Of processes that begin at once, PostgreSQL refuses all but the first, once that one is done.
            if not self._has_schema():
                raise

    def _reading(self) -> AbstractContextManager[Connection]:
        return _transaction(self._engine)

    def _writing(self) -> AbstractContextManager[Connection]:
        return _transaction(self._writer)

    def _all(self, record: Callable[..., _Record], query: sa.Select[Any]) -> list[_Record]:
        with self._reading() as connection:
            return [record(*row) for row in connection.execute(query)]

    def _update_analysis(
        self,
        connection: Connection,
        track: str,
        audio_id: str | None,
        content_digest: str | None,
        seconds: float | None,
        note: str,
    ) -> None:
        connection.execute(
            sa.update(_SOUNDTRACKS)
            .where(_SOUNDTRACKS.c.TRACK_ID == track)
            .values(AUDIO_ID=audio_id, ANALYSED_DIGEST=content_digest, SECONDS=seconds, NOTE=note)
        )


def _engine(url: str) -> Engine:
    try:
        address = sa.make_url(url)
        return _sqlite_engine(address) if address.get_backend_name() == "sqlite" else sa.create_engine(address)
    except (sa.exc.ArgumentError, ImportError) as error:
        # The address itself may hold a password.
        raise StoreError(
            f"the address of the database cannot be used ({type(error).__name__})",
            remedy="Write it as dialect+driver://user:password@host/database, and install that driver",
        ) from error


def _sqlite_engine(address: sa.URL) -> Engine:
    engine = sa.create_engine(address, connect_args={"timeout": LOCK_SECONDS, "isolation_level": None})
    if address.database:
        folder = Path(address.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the folder of the database cannot be made ({error.strerror})",
                subject=str(folder),
                remedy="Check its permissions",
            ) from error

    @sa.event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: object) -> None:
        _switch_to_write_ahead_log(connection)
        # NORMAL may lose the last transactions in a power cut, never consistency; what is lost is recomputed.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


def _switch_to_write_ahead_log(connection: sqlite3.Connection) -> None:
    # Where several processes open a new file at once, SQLite refuses some without waiting as it was told.
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


@contextmanager
def _transaction(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.begin() as connection:
            yield connection
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        reason = getattr(error, "orig", None) or error
        raise StoreError(
            f"the database refuses ({reason})",
            subject=engine.url.render_as_string(hide_password=True),
            remedy="Check that it is there, its permissions, the disk's space, and who else holds a lock on it",
        ) from error


def _has_view(connection: Connection) -> bool:
    return _VIEW_NAME in sa.inspect(connection).get_view_names()


def _fitting(text: str, longest: int) -> str:
    """The beginning of a text that a column of so many UTF-16 code units holds."""
    return text.encode("utf-16-le", "replace")[: 2 * longest].decode("utf-16-le", errors="ignore")


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name.upper(): value for name, value in values.items()}


def _select(record: type[Any], table: sa.FromClause) -> sa.Select[Any]:
    return sa.select(*(table.c[field.name.upper()] for field in fields(record)))


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), IDS_A_QUERY):
        yield ids[start : start + IDS_A_QUERY]


def _existing(connection: Connection, column: sa.Column[Any], ids: Sequence[str]) -> set[str]:
    return {
        str(row[0]) for batch in _batches(ids) for row in connection.execute(sa.select(column).where(column.in_(batch)))
    }
