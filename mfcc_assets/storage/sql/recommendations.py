"""The lists of recommendations for soundtracks and uploads."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mfcc_assets.ids import QueryId, TrackId
from mfcc_assets.storage.sql.database import Database, reconnecting
from mfcc_assets.storage.sql.records import Recommendation, RecommendedSoundtrack
from mfcc_assets.storage.sql.rows import batches, existing, read_records, select_record, utc_now
from mfcc_assets.storage.sql.schema import (
    CONTENTS,
    RECOMMENDATIONS,
    RECOMMENDED_SHARDS,
    RECOMMENDED_SOUNDTRACKS,
    REJECTS,
    SOUNDTRACKS,
)

_Query = TypeVar("_Query", bound=QueryId)
_Stored: TypeAlias = tuple[Recommendation, str]
"""A stored row of a list, and the method that made it."""

_VERSION = sa.func.coalesce(RECOMMENDED_SHARDS.c.INDEX_VERSION, RECOMMENDATIONS.c.INDEX_VERSION)
"""The index that recommends for a soundtrack: that of its shard, or the one that wrote its list if there is none."""


@reconnecting
class Recommendations:
    """The lists of recommendations, in SQLite, PostgreSQL, SQL Server or Azure SQL.

    Every method is one transaction that sets a state, and is repeated if the connection is lost.

    Parameters
    ----------
    database
        Database with the newest schema, as `open_database` returns it.

    Raises
    ------
    StoreError
        From every method, if the database cannot be reached, is locked for too long, or refuses.

    Examples
    --------
    >>> from mfcc_assets.storage.sql.revisions import open_database
    >>> Recommendations(open_database("sqlite://")).recommended("a query")
    []
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace_recommendations(
        self,
        query_id: QueryId,
        recommendations: Sequence[Recommendation],
        *,
        method: str,
        index_version: str,
        run_id: str,
    ) -> int:
        """Replace the list of a query, in one transaction.

        Returns
        -------
        int
            Number of rows written. Tracks that were deleted since the ranking was made are skipped, and the ranks
            close up.
        """
        made = {"METHOD": method, "INDEX_VERSION": index_version, "RUN_ID": run_id, "CREATED_AT": utc_now()}
        with self._database.writing() as connection:
            return _replace_lists(connection, {query_id: recommendations}, made)

    def update_recommendations(
        self,
        lists: Mapping[TrackId, Sequence[Recommendation]],
        *,
        method: str,
        index_version: str,
        run_id: str,
        complete: Sequence[str] = (),
        made_from: str = "",
    ) -> int:
        """Update the lists of many queries, in one transaction.

        An unchanged list keeps its rows, with the index and the run that wrote them, because otherwise every track that
        is added would rewrite the lists of the whole library.

        Parameters
        ----------
        lists
            The lists by query. Other queries keep theirs.
        method, index_version, run_id
            What made the lists.
        complete
            Shards whose soundtracks then all have the lists of this index; see `origins_of_shards`.
        made_from
            Digest of everything else that the lists of these shards were made from.

        Returns
        -------
        int
            Number of rows written, as for `replace_recommendations`. If the transaction was repeated because its answer
            was lost, only the rows of the last attempt count.
        """
        made = {"METHOD": method, "INDEX_VERSION": index_version, "RUN_ID": run_id, "CREATED_AT": utc_now()}
        with self._database.writing() as connection:
            written = _change_lists(connection, _with_stored(connection, lists, method), made)
            for shards in batches(list(complete)):
                connection.execute(sa.delete(RECOMMENDED_SHARDS).where(RECOMMENDED_SHARDS.c.SHARD.in_(shards)))
                rows = [{"SHARD": each, "INDEX_VERSION": index_version, "MADE_FROM": made_from} for each in shards]
                connection.execute(sa.insert(RECOMMENDED_SHARDS), rows)
        return written

    def differing(
        self, lists: Mapping[TrackId, Sequence[Recommendation]], *, method: str
    ) -> dict[TrackId, Sequence[Recommendation]]:
        """Return those of the lists that differ from the stored ones, or were made by another method."""
        if not lists:
            return {}
        with self._database.reading() as connection:
            return _differing(connection, lists, method)

    def origins_of_shards(self) -> dict[str, tuple[str, str]]:
        """Return the version of the index whose lists all soundtracks of a shard have, and what else made them.

        A soundtrack that came since then has no list yet. Other shards have lists of several versions, or none.
        """
        columns = RECOMMENDED_SHARDS.c
        query = sa.select(columns.SHARD, columns.INDEX_VERSION, columns.MADE_FROM)
        with self._database.reading() as connection:
            return {
                str(shard): (str(version), str(made_from)) for shard, version, made_from in connection.execute(query)
            }

    def recommended(self, query_id: QueryId) -> list[RecommendedSoundtrack]:
        """Return the rows of the view for a query, best first."""
        query = select_record(RecommendedSoundtrack, RECOMMENDED_SOUNDTRACKS).where(
            RECOMMENDED_SOUNDTRACKS.c.QUERY_ID == query_id
        )
        return read_records(self._database, RecommendedSoundtrack, query.order_by(RECOMMENDED_SOUNDTRACKS.c.RANK))

    def with_rows(self, query_ids: Sequence[QueryId]) -> set[QueryId]:
        """Return those of the queries that have recommendations."""
        with self._database.reading() as connection:
            found = existing(connection, RECOMMENDATIONS.c.QUERY_ID, query_ids)
        return {query for query in query_ids if query in found}

    def unserved_soundtracks(self, index_version: str, count: int) -> dict[TrackId, int]:
        """Return the analysed soundtracks without exactly `count` recommendations of this index, with their numbers."""
        complete = (RECOMMENDED_SHARDS.c.SHARD == SOUNDTRACKS.c.SHARD) & (
            RECOMMENDED_SHARDS.c.INDEX_VERSION == index_version
        )
        of_index = (RECOMMENDATIONS.c.QUERY_ID == SOUNDTRACKS.c.TRACK_ID) & RECOMMENDED_SHARDS.c.SHARD.is_not(None)
        served = sa.func.count(RECOMMENDATIONS.c.RANK)
        query = (
            sa.select(SOUNDTRACKS.c.TRACK_ID, served)
            .outerjoin(RECOMMENDED_SHARDS, complete)
            .outerjoin(RECOMMENDATIONS, of_index)
            .where(SOUNDTRACKS.c.AUDIO_ID.is_not(None))
            .group_by(SOUNDTRACKS.c.TRACK_ID)
            .having(served != count)
        )
        with self._database.reading() as connection:
            return {TrackId(track): int(number) for track, number in connection.execute(query)}

    def soundtracks_of_other_indexes(self, index_version: str) -> int:
        """Return the number of soundtracks that have recommendations of another index."""
        query = (
            sa.select(sa.func.count(sa.distinct(RECOMMENDATIONS.c.QUERY_ID)))
            .join(SOUNDTRACKS, SOUNDTRACKS.c.TRACK_ID == RECOMMENDATIONS.c.QUERY_ID)
            .outerjoin(RECOMMENDED_SHARDS, RECOMMENDED_SHARDS.c.SHARD == SOUNDTRACKS.c.SHARD)
            .where(_VERSION != index_version)
        )
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def index_versions(self) -> list[str]:
        """Return the versions of the index that recommend for soundtracks, the one with the most soundtracks first."""
        number = sa.func.count(sa.distinct(RECOMMENDATIONS.c.QUERY_ID))
        query = (
            sa.select(_VERSION)
            .join(SOUNDTRACKS, SOUNDTRACKS.c.TRACK_ID == RECOMMENDATIONS.c.QUERY_ID)
            .outerjoin(RECOMMENDED_SHARDS, RECOMMENDED_SHARDS.c.SHARD == SOUNDTRACKS.c.SHARD)
            .group_by(_VERSION)
            .order_by(number.desc(), _VERSION)
        )
        with self._database.reading() as connection:
            return [str(version) for version in connection.execute(query).scalars()]

    def forget_upload(self, query_id: QueryId, *, content_digests: Sequence[str]) -> int:
        """Delete the list of an upload, its reject, and the contents of its bytes unless a soundtrack has the same.

        Returns
        -------
        int
            Number of deleted recommendations.
        """
        with self._database.writing() as connection:
            deleted = connection.execute(sa.delete(RECOMMENDATIONS).where(RECOMMENDATIONS.c.QUERY_ID == query_id))
            connection.execute(sa.delete(REJECTS).where(REJECTS.c.SUBJECT_ID == query_id))
            for digests in batches(content_digests):
                connection.execute(sa.delete(CONTENTS).where(_only_of_uploads(digests)))
        return deleted.rowcount

    def rows_of_upload(self, query_id: QueryId, *, content_digests: Sequence[str]) -> int:
        """Return the number of rows that `forget_upload` would delete."""
        conditions = [RECOMMENDATIONS.c.QUERY_ID == query_id, REJECTS.c.SUBJECT_ID == query_id]
        conditions += [_only_of_uploads(digests) for digests in batches(content_digests)]
        with self._database.reading() as connection:
            counts = [connection.execute(sa.select(sa.func.count()).where(condition)) for condition in conditions]
            return sum(int(count.scalar_one()) for count in counts)

    def count(self) -> int:
        """Return the number of all recommendations: of soundtracks and of uploads."""
        with self._database.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(RECOMMENDATIONS)).scalar_one())

    def dangling_recommendations(self) -> int:
        """Return the number of recommendations of missing tracks: always 0 if foreign keys are enforced."""
        query = (
            sa.select(sa.func.count())
            .select_from(RECOMMENDATIONS)
            .outerjoin(SOUNDTRACKS, SOUNDTRACKS.c.TRACK_ID == RECOMMENDATIONS.c.TRACK_ID)
            .where(SOUNDTRACKS.c.TRACK_ID.is_(None))
        )
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())


def _only_of_uploads(content_digests: Sequence[str]) -> sa.ColumnElement[bool]:
    """Return the condition of CONTENTS that holds for these digests unless a soundtrack has the same bytes."""
    of_soundtrack = sa.or_(
        SOUNDTRACKS.c.CONTENT_DIGEST == CONTENTS.c.CONTENT_DIGEST,
        SOUNDTRACKS.c.ANALYSED_DIGEST == CONTENTS.c.CONTENT_DIGEST,
    )
    return CONTENTS.c.CONTENT_DIGEST.in_(content_digests) & ~sa.exists().where(of_soundtrack).correlate(CONTENTS)


def _differing(
    connection: Connection, lists: Mapping[TrackId, Sequence[Recommendation]], method: str
) -> dict[TrackId, Sequence[Recommendation]]:
    return {query: found for query, (found, _) in _with_stored(connection, lists, method).items()}


def _with_stored(
    connection: Connection, lists: Mapping[TrackId, Sequence[Recommendation]], method: str
) -> dict[TrackId, tuple[Sequence[Recommendation], list[_Stored]]]:
    """Return those of the lists that differ from the stored ones, each with the stored one."""
    stored = _stored_lists(connection, list(lists))
    return {
        query: (found, stored.get(query, []))
        for query, found in lists.items()
        if [(one, method) for one in found] != stored.get(query, [])
    }


def _stored_lists(connection: Connection, query_ids: Sequence[TrackId]) -> dict[TrackId, list[_Stored]]:
    """Return the stored list of each query, best first."""
    columns = RECOMMENDATIONS.c
    stored: dict[TrackId, list[_Stored]] = {}
    for ids in batches(query_ids):
        query = sa.select(columns.QUERY_ID, columns.METHOD, columns.RANK, columns.TRACK_ID, columns.DISTANCE)
        for query_id, made_by, *values in connection.execute(
            query.where(columns.QUERY_ID.in_(ids)).order_by(columns.RANK)
        ):
            stored.setdefault(query_id, []).append((Recommendation(*values), made_by))
    return stored


def _change_lists(
    connection: Connection,
    changed: Mapping[TrackId, tuple[Sequence[Recommendation], Sequence[_Stored]]],
    made: Mapping[str, object],
) -> int:
    """Write changed lists, each given with the stored one, and return how many rows they have.

    A track that stays keeps its row, and a track that comes gets the row of one that goes. So few pages of the table
    and of its indexes change, and each of them is written whole. A list without a track that stays is replaced.
    """
    known = _known_tracks(connection, [found for found, _ in changed.values()])
    columns, anew, rows = RECOMMENDATIONS.c, dict[TrackId, Sequence[Recommendation]](), 0
    kept, reused, added, surplus = (list[dict[str, object]]() for _ in range(4))
    for query, (found, stored) in changed.items():
        before = {one.track_id for one, _ in stored}
        wanted = [one for one in found if one.track_id in known]
        if before.isdisjoint(one.track_id for one in wanted):
            anew[query] = found
            continue
        rows += len(wanted)
        going = iter(sorted(before - {one.track_id for one in wanted}))
        for rank, one in enumerate(wanted, start=1):
            # No two rows of a list may have the same rank at any moment. So the new ranks are negative at first.
            row = {**made, "RANK": -rank, "DISTANCE": one.distance, "of_query": query}
            if one.track_id in before:
                before.remove(one.track_id)
                kept.append({**row, "of_track": one.track_id})
            elif (former := next(going, None)) is not None:
                reused.append({**row, "TRACK_ID": one.track_id, "of_track": former})
            else:
                place = {"QUERY_ID": query, "RANK": -rank}
                added.append({**made, **place, "TRACK_ID": one.track_id, "DISTANCE": one.distance})
        surplus += [{"of_query": query, "of_track": track} for track in going]
    of_row = (columns.QUERY_ID == sa.bindparam("of_query")) & (columns.TRACK_ID == sa.bindparam("of_track"))
    for statement, parameters in (
        (sa.delete(RECOMMENDATIONS).where(of_row), surplus),
        (sa.update(RECOMMENDATIONS).where(of_row), kept),
        (sa.update(RECOMMENDATIONS).where(of_row), reused),
        (sa.insert(RECOMMENDATIONS), added),
    ):
        if parameters:
            connection.execute(statement, parameters)
    for ids in batches([query for query in changed if query not in anew]):
        is_new = columns.QUERY_ID.in_(ids) & (columns.RANK < 0)
        connection.execute(sa.update(RECOMMENDATIONS).where(is_new).values(RANK=-columns.RANK))
    return rows + _replace_lists(connection, anew, made)


def _replace_lists(
    connection: Connection, lists: Mapping[_Query, Sequence[Recommendation]], made: Mapping[str, object]
) -> int:
    known = _known_tracks(connection, lists.values())
    for ids in batches(list(lists)):
        connection.execute(sa.delete(RECOMMENDATIONS).where(RECOMMENDATIONS.c.QUERY_ID.in_(ids)))
    rows = [
        {"QUERY_ID": query, "RANK": rank, "TRACK_ID": one.track_id, "DISTANCE": one.distance, **made}
        for query, recommendations in lists.items()
        for rank, one in enumerate((one for one in recommendations if one.track_id in known), start=1)
    ]
    if rows:
        connection.execute(sa.insert(RECOMMENDATIONS), rows)
    return len(rows)


def _known_tracks(connection: Connection, lists: Iterable[Sequence[Recommendation]]) -> set[str]:
    tracks = {one.track_id for recommendations in lists for one in recommendations}
    return existing(connection, SOUNDTRACKS.c.TRACK_ID, sorted(tracks))
