"""The recommendations: the lists of soundtracks and of uploads."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mfcc_assets.storage.sql.database import Database, reconnecting
from mfcc_assets.storage.sql.records import (
    Recommendation,
    Recommended,
)
from mfcc_assets.storage.sql.rows import batches, existing, read_records, select_record, utc_now
from mfcc_assets.storage.sql.schema import (
    CONTENTS,
    RECOMMENDATIONS,
    RECOMMENDED_SOUNDTRACKS,
    REJECTS,
    SOUNDTRACKS,
)


@reconnecting
class Recommendations:
    """The lists of recommendations, in SQLite, PostgreSQL, SQL Server or Azure SQL.

    Every method is one transaction that sets a state, and begins anew when the connection is lost.

    Parameters
    ----------
    database
        As `open_database` opens it.

    Raises
    ------
    StoreError
        From every method: the database cannot be reached, is locked for too long, or refuses.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

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
        made = {"METHOD": method, "INDEX_VERSION": index_version, "RUN_ID": run_id, "CREATED_AT": utc_now()}
        with self._database.writing() as connection:
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
        made = {"METHOD": method, "INDEX_VERSION": index_version, "RUN_ID": run_id, "CREATED_AT": utc_now()}
        columns = RECOMMENDATIONS.c
        with self._database.writing() as connection:
            stored = _stored_lists(connection, list(lists), method)
            changed = {query: places for query, places in lists.items() if list(places) != stored.get(query, [])}
            written = _replace_lists(connection, changed, made)
            for ids in batches([query for query in lists if query not in changed]):
                is_older = columns.QUERY_ID.in_(ids) & (columns.INDEX_VERSION != index_version)
                connection.execute(sa.update(RECOMMENDATIONS).where(is_older).values(INDEX_VERSION=index_version))
        return written

    def recommended(self, query_id: str) -> list[Recommended]:
        """What the view holds for a query, best first."""
        query = select_record(Recommended, RECOMMENDED_SOUNDTRACKS).where(
            RECOMMENDED_SOUNDTRACKS.c.QUERY_ID == query_id
        )
        return read_records(self._database, Recommended, query.order_by(RECOMMENDED_SOUNDTRACKS.c.RANK))

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
        with self._database.reading() as connection:
            return {track: int(served) for track, served in connection.execute(query)}

    def soundtracks_of_other_indexes(self, index_version: str) -> int:
        """How many soundtracks have recommendations of another index than this."""
        query = (
            sa.select(sa.func.count(sa.distinct(RECOMMENDATIONS.c.QUERY_ID)))
            .join(SOUNDTRACKS, SOUNDTRACKS.c.TRACK_ID == RECOMMENDATIONS.c.QUERY_ID)
            .where(RECOMMENDATIONS.c.INDEX_VERSION != index_version)
        )
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def forget_query(self, query_id: str, *, content_digests: Sequence[str]) -> int:
        """Delete what is kept of an upload: its list, its reject, and what its bytes hold.

        Returns
        -------
        int
            Recommendations deleted.
        """
        with self._database.writing() as connection:
            gone = connection.execute(sa.delete(RECOMMENDATIONS).where(RECOMMENDATIONS.c.QUERY_ID == query_id))
            connection.execute(sa.delete(REJECTS).where(REJECTS.c.SUBJECT_ID == query_id))
            for digests in batches(content_digests):
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
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar_one())


def _stored_lists(
    connection: Connection, query_ids: Sequence[str], method: str
) -> dict[str, list[Recommendation | None]]:
    """The places of each query, best first; None in those that another method made."""
    columns = RECOMMENDATIONS.c
    stored: dict[str, list[Recommendation | None]] = {}
    for ids in batches(query_ids):
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
    there = existing(connection, SOUNDTRACKS.c.TRACK_ID, sorted(tracks))
    for ids in batches(list(lists)):
        connection.execute(sa.delete(RECOMMENDATIONS).where(RECOMMENDATIONS.c.QUERY_ID.in_(ids)))
    rows = [
        {"QUERY_ID": query, "RANK": rank, "TRACK_ID": place.track_id, "DISTANCE": place.distance, **made}
        for query, places in lists.items()
        for rank, place in enumerate((place for place in places if place.track_id in there), start=1)
    ]
    if rows:
        connection.execute(sa.insert(RECOMMENDATIONS), rows)
    return len(rows)
