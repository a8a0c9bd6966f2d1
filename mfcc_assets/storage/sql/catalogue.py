"""The catalogue: the soundtracks of a library, the audio that they hold, and the rejected files."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mfcc_assets.ids import UNREAD, AudioId, QueryId, TrackId, shard_of, track_id
from mfcc_assets.storage.sql.browse_keys import browse_keys
from mfcc_assets.storage.sql.database import Database, reconnecting
from mfcc_assets.storage.sql.records import AudioContent, Credit, KnownFile, Observed, Reject, SkippedFile, Soundtrack
from mfcc_assets.storage.sql.rows import (
    batches,
    each_row,
    fitting,
    named_columns,
    read_records,
    select_record,
    utc_now,
)
from mfcc_assets.storage.sql.schema import (
    ADDED_FILES,
    CONTENTS,
    LONGEST_NOTE,
    LONGEST_REASON,
    REJECTS,
    SKIPPED_FILES,
    SOUNDTRACKS,
)
from mfcc_assets.storage.sql.soundtrack_rows import delete_soundtracks, record_names, tracks_of_names
from mfcc_assets.storage.sql.upserts import Upsert, excluded

# A reject was about the old bytes of a file. When the bytes change, the soundtrack waits again.
_IS_REPLACED_REJECT = SOUNDTRACKS.c.AUDIO_ID.is_(None) & (
    SOUNDTRACKS.c.CONTENT_DIGEST != excluded(SOUNDTRACKS.c.CONTENT_DIGEST)
)

_UPSERT_OBSERVED = Upsert(
    SOUNDTRACKS,
    {
        "NOTE": sa.case((_IS_REPLACED_REJECT, excluded(SOUNDTRACKS.c.NOTE)), else_=SOUNDTRACKS.c.NOTE),
        "ADDED_AT": SOUNDTRACKS.c.ADDED_AT,
    },
)

_UPSERT_SKIPPED = Upsert(SKIPPED_FILES)
_UPSERT_CONTENT = Upsert(CONTENTS)
_UPSERT_REJECT = Upsert(REJECTS)
_BY_NAME = (SOUNDTRACKS.c.BLOB_NAME, SOUNDTRACKS.c.TRACK_ID)  # some databases sort "A" and "a" as equal
_LAST_NAME_FIRST = tuple(column.desc() for column in _BY_NAME)

_IS_REJECTED = SOUNDTRACKS.c.AUDIO_ID.is_(None) & (SOUNDTRACKS.c.NOTE != "")


@reconnecting
class Catalogue:
    """The soundtracks of a library, in SQLite, PostgreSQL, SQL Server or Azure SQL.

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
    >>> Catalogue(open_database("sqlite://")).soundtracks()
    []
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def manifest(self, shards: Sequence[str]) -> dict[str, str]:
        """Return the last observed ETag of each file of these shards, by its name: soundtracks and what is no music."""
        tables = (SOUNDTRACKS, SKIPPED_FILES)
        queries = [sa.select(table.c.BLOB_NAME, table.c.ETAG).where(table.c.SHARD.in_(shards)) for table in tables]
        with self._database.reading() as connection:
            return {name: etag for query in queries for name, etag in connection.execute(query)}

    def known_files(self) -> dict[str, KnownFile]:
        """Return what is known of the file of each soundtrack, by its name."""
        files = read_records(self._database, KnownFile, select_record(KnownFile, SOUNDTRACKS))
        return {file.blob_name: replace(file, observed_at=file.observed_at.replace(tzinfo=UTC)) for file in files}

    def track_ids(self) -> dict[str, TrackId]:
        """Return the id of each soundtrack, by its name."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(SOUNDTRACKS.c.BLOB_NAME, SOUNDTRACKS.c.TRACK_ID)).all()
        return {name: TrackId(track) for name, track in rows}

    def confirm_observed(self, track_ids: Sequence[TrackId]) -> None:
        """Store that these soundtracks were read again, and have not changed."""
        with self._database.writing() as connection:
            for ids in batches(sorted(track_ids)):
                is_read = SOUNDTRACKS.c.TRACK_ID.in_(ids)
                connection.execute(sa.update(SOUNDTRACKS).where(is_read).values(OBSERVED_AT=utc_now()))

    def skipped_files(self) -> list[SkippedFile]:
        """Return the files that are no music by their content, sorted by name."""
        query = select_record(SkippedFile, SKIPPED_FILES).order_by(SKIPPED_FILES.c.BLOB_NAME, SKIPPED_FILES.c.TRACK_ID)
        return read_records(self._database, SkippedFile, query)

    def record_skipped(self, files: Sequence[SkippedFile], *, shard_digits: int) -> None:
        """Store which files are no music by their content. They are no soundtracks any more."""
        rows = [
            {
                "TRACK_ID": file.key,
                "SHARD": shard_of(file.key, shard_digits),
                **named_columns(asdict(file)),
            }
            for file in sorted(files, key=lambda file: file.key)
        ]
        with self._database.writing() as connection:
            if rows:
                names = [file.blob_name for file in files]
                delete_soundtracks(connection, [*tracks_of_names(connection, SOUNDTRACKS, names).values()])
                connection.execute(_UPSERT_SKIPPED, rows)

    def forget_skipped(self, names: Sequence[str]) -> None:
        """Delete what is known of files that are no music by their content, and are gone."""
        with self._database.writing() as connection:
            for ids in batches([track_id(name) for name in names]):
                connection.execute(sa.delete(SKIPPED_FILES).where(SKIPPED_FILES.c.TRACK_ID.in_(ids)))

    def soundtracks(self, shards: Sequence[str] | None = None) -> list[Soundtrack]:
        """Return the soundtracks of these shards, or of all shards, sorted by name."""
        query = select_record(Soundtrack, SOUNDTRACKS).order_by(*_BY_NAME)
        if shards is not None:
            query = query.where(SOUNDTRACKS.c.SHARD.in_(shards))
        return read_records(self._database, Soundtrack, query)

    def soundtracks_of_run(self, run_id: str) -> list[Soundtrack]:
        """Return the soundtracks that were last observed as new or changed by this run, by name."""
        query = select_record(Soundtrack, SOUNDTRACKS).where(SOUNDTRACKS.c.RUN_ID == run_id).order_by(*_BY_NAME)
        return read_records(self._database, Soundtrack, query)

    def audio_of_soundtracks(self) -> dict[str, dict[TrackId, AudioId | None]]:
        """Return the audio id of each soundtrack of every shard that has some, by track id; None if not analysed."""
        found: dict[str, dict[TrackId, AudioId | None]] = {}
        query = sa.select(SOUNDTRACKS.c.SHARD, SOUNDTRACKS.c.TRACK_ID, SOUNDTRACKS.c.AUDIO_ID)
        with self._database.reading() as connection:
            for shard, track, audio_id in each_row(connection, query):
                found.setdefault(shard, {})[TrackId(track)] = audio_id
        return found

    def waiting(self) -> list[str]:
        """Return the names of the soundtracks for which `Soundtrack.is_waiting` is true."""
        columns = SOUNDTRACKS.c
        is_analysed = columns.ANALYSED_DIGEST.is_not(None) & (columns.ANALYSED_DIGEST == columns.CONTENT_DIGEST)
        query = sa.select(columns.BLOB_NAME).where(~_IS_REJECTED & ~is_analysed).order_by(*_BY_NAME)
        with self._database.reading() as connection:
            return list(connection.execute(query).scalars())

    def seconds_of_audio(self) -> float:
        """Return the length of the audio of all soundtracks together, in seconds."""
        with self._database.reading() as connection:
            return float(connection.execute(sa.select(sa.func.sum(SOUNDTRACKS.c.SECONDS))).scalar() or 0)

    def progress(self) -> tuple[int, int]:
        """Return the number of examined soundtracks, including rejects, and the number of all soundtracks."""
        columns = SOUNDTRACKS.c
        is_analysed = columns.ANALYSED_DIGEST == columns.CONTENT_DIGEST
        examined = sa.func.count(sa.case((_IS_REJECTED | is_analysed, 1)))
        with self._database.reading() as connection:
            done, total = connection.execute(sa.select(examined, sa.func.count()).select_from(SOUNDTRACKS)).one()
        return int(done), int(total)

    def track_counts(self) -> tuple[int, int]:
        """Return the number of different audios of the library, and of files that may add to them when analysed."""
        columns = SOUNDTRACKS.c
        waiting = sa.func.count(sa.case((columns.AUDIO_ID.is_(None) & ~_IS_REJECTED, 1)))
        counts = sa.select(sa.func.count(columns.AUDIO_ID.distinct()), waiting).select_from(SOUNDTRACKS)
        with self._database.reading() as connection:
            audios, files = connection.execute(counts).one()
        return int(audios), int(files)

    def record_observed(
        self, observed: Sequence[Observed], gone: Sequence[TrackId], *, shard_digits: int, run_id: str
    ) -> None:
        """Update the catalogue with new, changed and renamed files, and with the ids of deleted ones.

        It is one transaction, so two files that exchanged their names always have one name each.
        """
        observed_at = utc_now()
        rows = {
            file.track_id: {
                "TRACK_ID": file.track_id,
                "SHARD": shard_of(file.track_id, shard_digits),
                "BLOB_NAME": file.blob_name,
                "ETAG": file.etag,
                "BYTES": file.bytes,
                "CONTENT_DIGEST": file.content_digest,
                **named_columns(asdict(file.tags)),
                "ARTWORK": file.artwork,
                "NOTE": "",
                "TAGS_NOTE": fitting(file.tags.note, LONGEST_NOTE),
                "RUN_ID": run_id,
                "OBSERVED_AT": observed_at,
                "ADDED_AT": observed_at.replace(tzinfo=UTC),
                **named_columns(asdict(browse_keys(file.tags, file.blob_name))),
            }
            for file in observed
        }
        with self._database.writing() as connection:
            if rows:
                record_names(connection, {file.track_id: file.blob_name for file in observed if file.known_as})
                # One statement for all rows is much faster than one for each. The rows are sorted, because two
                # processes that observe the same files in different orders would end in a deadlock.
                connection.execute(_UPSERT_OBSERVED, [rows[track] for track in sorted(rows)])
                for ids in batches(sorted(track_id(file.blob_name) for file in observed)):
                    connection.execute(sa.delete(SKIPPED_FILES).where(SKIPPED_FILES.c.TRACK_ID.in_(ids)))
            delete_soundtracks(connection, gone)
            for ids in batches(gone):
                connection.execute(sa.delete(ADDED_FILES).where(ADDED_FILES.c.TRACK_ID.in_(ids)))

    def contents(self, content_digests: Iterable[str]) -> dict[str, AudioContent]:
        """Return the known audio contents of these digests, by content digest."""
        found: dict[str, AudioContent] = {}
        for digests in batches(sorted(set(content_digests))):
            query = select_record(AudioContent, CONTENTS).where(CONTENTS.c.CONTENT_DIGEST.in_(digests))
            found |= {content.content_digest: content for content in read_records(self._database, AudioContent, query)}
        return found

    def digests_of_audio(self, audio_id: AudioId) -> list[str]:
        """Return the content digests of all bytes that are known to hold an audio."""
        query = sa.select(CONTENTS.c.CONTENT_DIGEST).where(CONTENTS.c.AUDIO_ID == audio_id)
        with self._database.reading() as connection:
            return list(connection.execute(query.order_by(CONTENTS.c.CONTENT_DIGEST)).scalars())

    def record_content(self, content: AudioContent, *, track_id: TrackId | None = None) -> None:
        """Store which audio some bytes hold and, if a track id is given, that this soundtrack has that audio.

        A soundtrack that has `mfcc_assets.ids.unread_digest` gets the digest of these bytes.
        """
        self._record_contents([content], {} if track_id is None else {track_id: content})

    def record_contents(self, contents: Mapping[TrackId, AudioContent]) -> None:
        """Store which audio many soundtracks have, in one transaction: see `record_content`."""
        self._record_contents(contents.values(), contents)

    def _record_contents(self, contents: Iterable[AudioContent], of_tracks: Mapping[TrackId, AudioContent]) -> None:
        rows = {content.content_digest: named_columns(asdict(content)) for content in contents}
        if not rows:
            return
        with self._database.writing() as connection:
            # Rows are written in one order everywhere, and REJECTS comes before SOUNDTRACKS, as in `record_reject`:
            # different orders could end in a deadlock.
            connection.execute(_UPSERT_CONTENT, [rows[digest] for digest in sorted(rows)])
            for ids in batches(sorted(of_tracks)):
                connection.execute(sa.delete(REJECTS).where(REJECTS.c.SUBJECT_ID.in_(ids)))
            for track, content in sorted(of_tracks.items()):
                self._update_analysis(
                    connection, track, content.audio_id, content.content_digest, content.seconds, content.note
                )

    def record_reject(self, reject: Reject, *, run_id: str, content_digest: str | None = None) -> None:
        """Store why a file cannot be used.

        Parameters
        ----------
        content_digest
            Digest of the bytes of a soundtrack that are never worth a second analysis. None if another setting could
            make the file usable.
        """
        with self._database.writing() as connection:
            row = named_columns(asdict(reject)) | {"REASON": fitting(reject.reason, LONGEST_REASON)}
            connection.execute(_UPSERT_REJECT, {**row, "RUN_ID": run_id, "REJECTED_AT": utc_now()})
            note = fitting(reject.reason, LONGEST_NOTE)
            self._update_analysis(connection, reject.subject_id, None, content_digest, None, note)

    def rejects(self) -> list[Reject]:
        """Return all rejects, sorted by container and name."""
        return read_records(
            self._database, Reject, select_record(Reject, REJECTS).order_by(REJECTS.c.CONTAINER, REJECTS.c.BLOB_NAME)
        )

    def tracks_of_audio(self, audio_ids: Iterable[AudioId]) -> dict[AudioId, Soundtrack]:
        """Return the soundtrack that represents each audio, by audio id: of duplicates the first by name."""
        found: dict[AudioId, Soundtrack] = {}
        for ids in batches(sorted(set(audio_ids))):
            query = (
                select_record(Soundtrack, SOUNDTRACKS)
                .where(SOUNDTRACKS.c.AUDIO_ID.in_(ids))
                .order_by(*_LAST_NAME_FIRST)
            )
            found |= {
                track.audio_id: track
                for track in read_records(self._database, Soundtrack, query)
                if track.audio_id is not None
            }
        return found

    def tracks_with_ids(self, track_ids: Iterable[TrackId]) -> dict[TrackId, Soundtrack]:
        """Return the soundtracks with these ids, by id. Ids without a soundtrack are left out."""
        found: dict[TrackId, Soundtrack] = {}
        for ids in batches(sorted(set(track_ids))):
            query = select_record(Soundtrack, SOUNDTRACKS).where(SOUNDTRACKS.c.TRACK_ID.in_(ids))
            found |= {track.track_id: track for track in read_records(self._database, Soundtrack, query)}
        return found

    def track_ids_by_audio(self) -> dict[AudioId, TrackId]:
        """Return the track id of the soundtrack that represents each audio of the library, by audio id."""
        query = sa.select(SOUNDTRACKS.c.AUDIO_ID, SOUNDTRACKS.c.TRACK_ID).where(SOUNDTRACKS.c.AUDIO_ID.is_not(None))
        with self._database.reading() as connection:
            rows = each_row(connection, query.order_by(*_LAST_NAME_FIRST))
            return {AudioId(audio_id): TrackId(track) for audio_id, track in rows}

    def credits(self) -> dict[AudioId, Credit]:
        """Return the credit of the soundtrack that represents each audio of the library, by audio id."""
        query = select_record(Credit, SOUNDTRACKS).add_columns(SOUNDTRACKS.c.AUDIO_ID)
        query = query.where(SOUNDTRACKS.c.AUDIO_ID.is_not(None)).order_by(*_LAST_NAME_FIRST)
        with self._database.reading() as connection:
            rows = each_row(connection, query)
            # Artists and albums repeat, so each name is kept in memory once.
            return {
                AudioId(audio_id): Credit(
                    TrackId(track),
                    sys.intern(artist),
                    sys.intern(album),
                    tuple(map(sys.intern, artists)),
                    sys.intern(album_artist),
                    blob_name,
                    size,
                    seconds,
                )
                for track, artist, album, artists, album_artist, blob_name, size, seconds, audio_id in rows
            }

    def shard_digits(self) -> int | None:
        """Return the number of hex digits of the soundtracks' shards; None if there are no soundtracks."""
        with self._database.reading() as connection:
            shard = connection.execute(sa.select(SOUNDTRACKS.c.SHARD).limit(1)).scalar()
        return len(shard) if shard else None

    def forget_reject(self, subject_id: QueryId) -> None:
        """Delete a reject, so that its file is examined again."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(REJECTS).where(REJECTS.c.SUBJECT_ID == subject_id))

    def _update_analysis(
        self,
        connection: Connection,
        track_id: QueryId,
        audio_id: AudioId | None,
        content_digest: str | None,
        seconds: float | None,
        note: str,
    ) -> None:
        columns = SOUNDTRACKS.c
        values: dict[str, object] = {"AUDIO_ID": audio_id, "ANALYSED_DIGEST": content_digest, "SECONDS": seconds}
        if content_digest is not None:
            # The analysis was the first to read the bytes of a file that was only listed before.
            was_unread = columns.CONTENT_DIGEST.startswith(UNREAD)
            values["CONTENT_DIGEST"] = sa.case((was_unread, content_digest), else_=columns.CONTENT_DIGEST)
        connection.execute(sa.update(SOUNDTRACKS).where(columns.TRACK_ID == track_id).values(values | {"NOTE": note}))
