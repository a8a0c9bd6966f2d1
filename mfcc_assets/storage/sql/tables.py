"""The library's catalogue and its recommendations: every query and change of the tables."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mfcc_assets.ids import shard_of, track_id
from mfcc_assets.storage.sql.database import Database, reconnecting
from mfcc_assets.storage.sql.records import (
    AudioContent,
    Credit,
    Observed,
    Recommendation,
    Recommended,
    Reject,
    Soundtrack,
)
from mfcc_assets.storage.sql.schema import (
    CONTENTS,
    LONGEST_NOTE,
    LONGEST_REASON,
    RECOMMENDATIONS,
    RECOMMENDED_SOUNDTRACKS,
    REJECTS,
    SOUNDTRACKS,
    ensure_schema,
)
from mfcc_assets.storage.sql.upserts import Upsert, excluded

IDS_A_QUERY = 500
"""Ids in one IN list; SQL Server takes 2,100 parameters a statement."""

# What was said against the former bytes says nothing of new ones: such a reject waits for its turn again.
_IS_REPLACED_REJECT = SOUNDTRACKS.c.AUDIO_ID.is_(None) & (
    SOUNDTRACKS.c.CONTENT_DIGEST != excluded(SOUNDTRACKS.c.CONTENT_DIGEST)
)

_UPSERT_OBSERVED = Upsert(
    SOUNDTRACKS, {"NOTE": sa.case((_IS_REPLACED_REJECT, excluded(SOUNDTRACKS.c.NOTE)), else_=SOUNDTRACKS.c.NOTE)}
)

_UPSERT_CONTENT = Upsert(CONTENTS)
_UPSERT_REJECT = Upsert(REJECTS)
_BY_NAME = (SOUNDTRACKS.c.BLOB_NAME, SOUNDTRACKS.c.TRACK_ID)  # a database may take "A" and "a" for one name
_LAST_NAME_FIRST = tuple(column.desc() for column in _BY_NAME)
_Record = TypeVar("_Record")


@reconnecting
class Tables:
    """The library's catalogue and the recommendations, in SQLite, PostgreSQL, SQL Server or Azure SQL.

    Every method is one transaction that sets a state, and begins anew when the connection is lost.

    Parameters
    ----------
    url, password
        As `Database` takes them. The schema is brought to the newest where it is another.

    Raises
    ------
    StoreError
        Here and from every method: the database cannot be reached, is locked for too long, or refuses.
    """

    def __init__(self, url: str, password: Callable[[], str] | None = None) -> None:
        self.database = Database(url, password)
        ensure_schema(self.database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.database.close()

    def manifest(self, shards: Sequence[str]) -> dict[str, str]:
        """Version (ETag) of each soundtrack of these shards by the blob's name, as last observed."""
        columns = SOUNDTRACKS.c
        query = sa.select(columns.BLOB_NAME, columns.ETAG).where(columns.SHARD.in_(shards))
        with self.database.reading() as connection:
            return {name: etag for name, etag in connection.execute(query)}  # noqa: C416

    def soundtracks(self, shards: Sequence[str] | None = None) -> list[Soundtrack]:
        """The soundtracks of these shards, or of all, by name."""
        query = _select(Soundtrack, SOUNDTRACKS).order_by(*_BY_NAME)
        if shards is not None:
            query = query.where(SOUNDTRACKS.c.SHARD.in_(shards))
        return self._all(Soundtrack, query)

    def audio_of_soundtracks(self, shard: str) -> dict[str, str | None]:
        """Audio of each soundtrack of a shard, by track id; None where it was not analysed."""
        columns = SOUNDTRACKS.c
        query = sa.select(columns.TRACK_ID, columns.AUDIO_ID).where(columns.SHARD == shard)
        with self.database.reading() as connection:
            return {track: audio for track, audio in connection.execute(query)}  # noqa: C416

    def waiting(self) -> list[str]:
        """Names of the soundtracks whose bytes were not looked at yet, as `Soundtrack.is_waiting` says."""
        columns = SOUNDTRACKS.c
        is_rejected = columns.AUDIO_ID.is_(None) & (columns.NOTE != "")
        is_analysed = columns.ANALYSED_DIGEST.is_not(None) & (columns.ANALYSED_DIGEST == columns.CONTENT_DIGEST)
        query = sa.select(columns.BLOB_NAME).where(~is_rejected & ~is_analysed).order_by(*_BY_NAME)
        with self.database.reading() as connection:
            return list(connection.execute(query).scalars())

    def progress(self) -> tuple[int, int]:
        """How many soundtracks were looked at, rejects among them, and how many there are."""
        columns = SOUNDTRACKS.c
        is_rejected = columns.AUDIO_ID.is_(None) & (columns.NOTE != "")
        is_analysed = columns.ANALYSED_DIGEST == columns.CONTENT_DIGEST
        looked_at = sa.func.count(sa.case((is_rejected | is_analysed, 1)))
        with self.database.reading() as connection:
            done, total = connection.execute(sa.select(looked_at, sa.func.count()).select_from(SOUNDTRACKS)).one()
        return int(done), int(total)

    def record_observed(
        self, observed: Sequence[Observed], gone: Sequence[str], *, shard_digits: int, run_id: str
    ) -> None:
        """Bring the catalogue up to date with files seen (new or changed) and names gone, in one transaction."""
        observed_at = _now()
        rows = {
            file.track_id: {
                "TRACK_ID": file.track_id,
                "SHARD": shard_of(file.track_id, shard_digits),
                "BLOB_NAME": file.blob_name,
                "ETAG": file.etag,
                "BYTES": file.bytes,
                "CONTENT_DIGEST": file.content_digest,
                **_columns(asdict(file.tags)),
                "ARTWORK": file.artwork,
                "NOTE": "",
                "RUN_ID": run_id,
                "OBSERVED_AT": observed_at,
            }
            for file in observed
        }
        with self.database.writing() as connection:
            if rows:
                # One statement for all rows: 1,000 files take 0.02 s instead of 1 s. In one order: two that observe
                # the same files in different ones would wait for each other.
                connection.execute(_UPSERT_OBSERVED, [rows[track] for track in sorted(rows)])
            for ids in _batches([track_id(name) for name in gone]):
                connection.execute(sa.delete(RECOMMENDATIONS).where(RECOMMENDATIONS.c.QUERY_ID.in_(ids)))
                connection.execute(sa.delete(REJECTS).where(REJECTS.c.SUBJECT_ID.in_(ids)))
                connection.execute(sa.delete(SOUNDTRACKS).where(SOUNDTRACKS.c.TRACK_ID.in_(ids)))

    def contents(self, content_digests: Iterable[str]) -> dict[str, AudioContent]:
        """What is known of these bytes, by content digest."""
        found: dict[str, AudioContent] = {}
        for digests in _batches(sorted(set(content_digests))):
            query = _select(AudioContent, CONTENTS).where(CONTENTS.c.CONTENT_DIGEST.in_(digests))
            found |= {content.content_digest: content for content in self._all(AudioContent, query)}
        return found

    def record_content(self, content: AudioContent, *, track: str | None = None) -> None:
        """Remember what audio some bytes hold and, of a soundtrack, that its audio is this."""
        with self.database.writing() as connection:
            connection.execute(_UPSERT_CONTENT, _columns(asdict(content)))
            if track is not None:
                # REJECTS before SOUNDTRACKS, as in `record_reject`: in two orders, two of them end in a deadlock.
                connection.execute(sa.delete(REJECTS).where(REJECTS.c.SUBJECT_ID == track))
                self._update_analysis(
                    connection, track, content.audio_id, content.content_digest, content.seconds, content.note
                )

    def record_reject(self, reject: Reject, *, run_id: str, content_digest: str | None = None) -> None:
        """Remember why a file cannot be used.

        Parameters
        ----------
        content_digest
            Bytes of a soundtrack that need no second look; None where a setting could change the verdict.
        """
        with self.database.writing() as connection:
            row = _columns(asdict(reject)) | {"REASON": _fitting(reject.reason, LONGEST_REASON)}
            connection.execute(_UPSERT_REJECT, {**row, "RUN_ID": run_id, "REJECTED_AT": _now()})
            note = _fitting(reject.reason, LONGEST_NOTE)
            self._update_analysis(connection, reject.subject_id, None, content_digest, None, note)

    def rejects(self) -> list[Reject]:
        """Everything that could not be used, by container and name."""
        return self._all(Reject, _select(Reject, REJECTS).order_by(REJECTS.c.CONTAINER, REJECTS.c.BLOB_NAME))

    def tracks_of_audio(self, audio_ids: Iterable[str]) -> dict[str, Soundtrack]:
        """The soundtrack that stands for each audio, where there is one: the first by name among duplicates."""
        found: dict[str, Soundtrack] = {}
        for ids in _batches(sorted(set(audio_ids))):
            query = _select(Soundtrack, SOUNDTRACKS).where(SOUNDTRACKS.c.AUDIO_ID.in_(ids)).order_by(*_LAST_NAME_FIRST)
            found |= {str(track.audio_id): track for track in self._all(Soundtrack, query)}
        return found

    def audio(self) -> dict[str, str]:
        """Every audio of the library, with the track id of the soundtrack that stands for it."""
        query = sa.select(SOUNDTRACKS.c.AUDIO_ID, SOUNDTRACKS.c.TRACK_ID).where(SOUNDTRACKS.c.AUDIO_ID.is_not(None))
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(*_LAST_NAME_FIRST)).all()
        return {audio_id: track for audio_id, track in rows}  # noqa: C416

    def credits(self) -> dict[str, Credit]:
        """Every audio of the library, with who made the soundtrack that stands for it."""
        columns = SOUNDTRACKS.c
        query = sa.select(columns.AUDIO_ID, columns.TRACK_ID, columns.ARTIST, columns.ALBUM)
        with self.database.reading() as connection:
            rows = connection.execute(query.where(columns.AUDIO_ID.is_not(None)).order_by(*_LAST_NAME_FIRST))
            # Names repeat: of a million tracks they would take 150 MB.
            return {audio: Credit(track, sys.intern(artist), sys.intern(album)) for audio, track, artist, album in rows}

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
        made = {"METHOD": method, "INDEX_VERSION": index_version, "RUN_ID": run_id, "CREATED_AT": _now()}
        with self.database.writing() as connection:
            return _replace_lists(connection, {query_id: recommendations}, made)

    def update_recommendations(
        self,
        lists: Mapping[str, Sequence[Recommendation]],
        *,
        method: str,
        index_version: str,
        run_id: str,
    ) -> int:
        """Bring the lists of many queries up to date, in one transaction.

        A list that is stored already keeps its rows and the run that wrote them, and is said to be of the new index:
        of a million tracks five million rows would be written again for every track that is added.

        Returns
        -------
        int
            Rows written, as for `replace_recommendations`; of a transaction that was done again since its answer was
            lost, only what the last attempt found to write.
        """
        made = {"METHOD": method, "INDEX_VERSION": index_version, "RUN_ID": run_id, "CREATED_AT": _now()}
        columns = RECOMMENDATIONS.c
        with self.database.writing() as connection:
            stored = _stored_lists(connection, list(lists), method)
            changed = {query: places for query, places in lists.items() if list(places) != stored.get(query, [])}
            written = _replace_lists(connection, changed, made)
            for ids in _batches([query for query in lists if query not in changed]):
                is_older = columns.QUERY_ID.in_(ids) & (columns.INDEX_VERSION != index_version)
                connection.execute(sa.update(RECOMMENDATIONS).where(is_older).values(INDEX_VERSION=index_version))
        return written

    def recommended(self, query_id: str) -> list[Recommended]:
        """What the view holds for a query, best first."""
        query = _select(Recommended, RECOMMENDED_SOUNDTRACKS).where(RECOMMENDED_SOUNDTRACKS.c.QUERY_ID == query_id)
        return self._all(Recommended, query.order_by(RECOMMENDED_SOUNDTRACKS.c.RANK))

    def unserved_soundtracks(self, index_version: str, size: int) -> dict[str, int]:
        """The analysed soundtracks that have not `size` recommendations of this index, and how many they have."""
        of_index = (RECOMMENDATIONS.c.QUERY_ID == SOUNDTRACKS.c.TRACK_ID) & (
            RECOMMENDATIONS.c.INDEX_VERSION == index_version
        )
        count = sa.func.count(RECOMMENDATIONS.c.RANK)
        query = (
            sa.select(SOUNDTRACKS.c.TRACK_ID, count)
            .outerjoin(RECOMMENDATIONS, of_index)
            .where(SOUNDTRACKS.c.AUDIO_ID.is_not(None))
            .group_by(SOUNDTRACKS.c.TRACK_ID)
            .having(count != size)
        )
        with self.database.reading() as connection:
            return {track: int(served) for track, served in connection.execute(query)}

    def soundtracks_of_other_indexes(self, index_version: str) -> int:
        """How many soundtracks have recommendations of another index than this."""
        query = (
            sa.select(sa.func.count(sa.distinct(RECOMMENDATIONS.c.QUERY_ID)))
            .join(SOUNDTRACKS, SOUNDTRACKS.c.TRACK_ID == RECOMMENDATIONS.c.QUERY_ID)
            .where(RECOMMENDATIONS.c.INDEX_VERSION != index_version)
        )
        with self.database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def shard_digits(self) -> int | None:
        """Hex digits of the shards that the soundtracks were put in; None while there are none."""
        with self.database.reading() as connection:
            shard = connection.execute(sa.select(SOUNDTRACKS.c.SHARD).limit(1)).scalar()
        return len(shard) if shard else None

    def forget_reject(self, subject_id: str) -> None:
        """Take back that a file could not be used: it is looked at again."""
        with self.database.writing() as connection:
            connection.execute(sa.delete(REJECTS).where(REJECTS.c.SUBJECT_ID == subject_id))

    def forget_query(self, query_id: str, *, content_digests: Sequence[str]) -> int:
        """Delete what is kept of an upload: its list, its reject, and what its bytes hold.

        Returns
        -------
        int
            Recommendations deleted.
        """
        with self.database.writing() as connection:
            gone = connection.execute(sa.delete(RECOMMENDATIONS).where(RECOMMENDATIONS.c.QUERY_ID == query_id))
            connection.execute(sa.delete(REJECTS).where(REJECTS.c.SUBJECT_ID == query_id))
            for digests in _batches(content_digests):
                connection.execute(sa.delete(CONTENTS).where(CONTENTS.c.CONTENT_DIGEST.in_(digests)))
        return gone.rowcount

    def dangling_recommendations(self) -> int:
        """Rows of RECOMMENDATIONS whose track is gone: always 0 where foreign keys are enforced."""
        query = (
            sa.select(sa.func.count())
            .select_from(RECOMMENDATIONS)
            .outerjoin(SOUNDTRACKS, SOUNDTRACKS.c.TRACK_ID == RECOMMENDATIONS.c.TRACK_ID)
            .where(SOUNDTRACKS.c.TRACK_ID.is_(None))
        )
        with self.database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def _all(self, record: Callable[..., _Record], query: sa.Select[Any]) -> list[_Record]:
        with self.database.reading() as connection:
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
            sa.update(SOUNDTRACKS)
            .where(SOUNDTRACKS.c.TRACK_ID == track)
            .values(AUDIO_ID=audio_id, ANALYSED_DIGEST=content_digest, SECONDS=seconds, NOTE=note)
        )


def _stored_lists(
    connection: Connection, query_ids: Sequence[str], method: str
) -> dict[str, list[Recommendation | None]]:
    """The places of each query, best first; None in those that another method made."""
    columns = RECOMMENDATIONS.c
    stored: dict[str, list[Recommendation | None]] = {}
    for ids in _batches(query_ids):
        query = sa.select(columns.QUERY_ID, columns.METHOD, columns.RANK, columns.TRACK_ID, columns.DISTANCE)
        for query_id, made_by, *place in connection.execute(
            query.where(columns.QUERY_ID.in_(ids)).order_by(columns.RANK)
        ):
            stored.setdefault(query_id, []).append(Recommendation(*place) if made_by == method else None)
    return stored


def _replace_lists(
    connection: Connection, lists: Mapping[str, Sequence[Recommendation]], made: Mapping[str, object]
) -> int:
    tracks = {place.track_id for places in lists.values() for place in places}
    there = _existing(connection, SOUNDTRACKS.c.TRACK_ID, sorted(tracks))
    for ids in _batches(list(lists)):
        connection.execute(sa.delete(RECOMMENDATIONS).where(RECOMMENDATIONS.c.QUERY_ID.in_(ids)))
    rows = [
        {"QUERY_ID": query, "RANK": rank, "TRACK_ID": place.track_id, "DISTANCE": place.distance, **made}
        for query, places in lists.items()
        for rank, place in enumerate((place for place in places if place.track_id in there), start=1)
    ]
    if rows:
        connection.execute(sa.insert(RECOMMENDATIONS), rows)
    return len(rows)


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
