"""Both stores succeed, and do each thing once, when the server ends connections or stops."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from mfcc_assets.ids import AudioId, TrackId, UploadId, shard_names
from mfcc_assets.storage.sql.added_files import AddedFile, AddedFiles
from mfcc_assets.storage.sql.api_keys import ApiKeys, StoredKey
from mfcc_assets.storage.sql.browsing import Browsing
from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.database import Database
from mfcc_assets.storage.sql.recommendations import Recommendations
from mfcc_assets.storage.sql.records import AudioContent, SkippedFile
from mfcc_assets.storage.sql.revisions import open_database
from mfcc_assets_tests.services.losing_proxy import LosingProxy, losing_proxy
from mfcc_assets_tests.services.postgres import Postgres
from mfcc_assets_tests.storage.sql.recorded_sql_server import STORES, public_methods
from mfcc_assets_tests.storage.sql.table_rows import (
    analyse,
    observe,
    observed,
    places_of,
    recommend,
    recommended,
    reject,
)

KEY = StoredKey("0" * 16, "name", False, "f" * 64, datetime(2026, 11, 1, tzinfo=UTC))
BACKENDS = "FROM pg_stat_activity WHERE usename = 'clerk'"


class Stores(NamedTuple):
    """All stores over one database."""

    added_files: AddedFiles
    api_keys: ApiKeys
    browsing: Browsing
    catalogue: Catalogue
    recommendations: Recommendations

    @classmethod
    def of(cls, database: Database) -> "Stores":
        return cls(
            AddedFiles(database),
            ApiKeys(database),
            Browsing(database),
            Catalogue(database),
            Recommendations(database),
        )


CHANGES: dict[str, Callable[[Stores], object]] = {
    "record_observed": lambda stores: observe(stores.catalogue, observed("a", 2), observed("d"), gone=("b",)),
    "record_content": lambda stores: analyse(stores.catalogue, observed("a"), "audio"),
    "record_contents": lambda stores: stores.catalogue.record_contents(
        {
            observed(name).track_id: AudioContent(observed(name).content_digest, AudioId("audio"), 1.0, "")
            for name in "ad"
        }
    ),
    "record_reject": lambda stores: stores.catalogue.record_reject(reject(observed("a")), run_id="run"),
    "record_skipped": lambda stores: stores.catalogue.record_skipped(
        [SkippedFile("b", "etag", "text")], shard_digits=1
    ),
    "forget_skipped": lambda stores: stores.catalogue.forget_skipped(["e"]),
    "confirm_observed": lambda stores: stores.catalogue.confirm_observed([observed("a").track_id]),
    "record": lambda stores: stores.added_files.record(AddedFile("a", "file:///a", "digest", 0.0)),
    "record_key": lambda stores: stores.api_keys.record_key(replace(KEY, name="another name")),
    "mark_revoked": lambda stores: stores.api_keys.mark_revoked(KEY.key_id, KEY.created_at),
    "forget_reject": lambda stores: stores.catalogue.forget_reject(observed("c").track_id),
    "forget_upload": lambda stores: stores.recommendations.forget_upload(
        UploadId("query"), content_digests=[observed("c").content_digest]
    ),
    "replace_recommendations": lambda stores: recommend(stores.recommendations, "query", "c", "a"),
    "update_recommendations": lambda stores: stores.recommendations.update_recommendations(
        {TrackId("query"): places_of("ca"), TrackId("other"): places_of("b")},
        method="dtw",
        index_version="v2",
        run_id="run",
        complete=["a"],
    ),
}


def end_connections(postgres: Postgres) -> None:
    postgres.execute(f"SELECT pg_terminate_backend(pid) {BACKENDS}")


def everything(stores: Stores) -> tuple[object, ...]:
    catalogue = stores.catalogue
    lists = [stores.recommendations.recommended(UploadId(query)) for query in ("query", "other")]
    contents = catalogue.contents(observed(name).content_digest for name in "abcd")
    files = catalogue.skipped_files(), stores.added_files.every()
    # They were added at different times.
    soundtracks = [replace(track, added_at=None) for track in catalogue.soundtracks()]
    keys = stores.api_keys.stored_keys()
    return soundtracks, catalogue.manifest(shard_names(1)), contents, catalogue.rejects(), files, lists, keys


def fill(stores: Stores) -> None:
    observe(stores.catalogue, *map(observed, "abc"))
    stores.catalogue.record_reject(reject(observed("c")), run_id="run")
    stores.catalogue.record_content(AudioContent(observed("c").content_digest, AudioId("audio of c"), 1.0, ""))
    recommend(stores.recommendations, "query", "a", "b")
    stores.api_keys.record_key(KEY)


@pytest.fixture
def url(postgresql_url: str) -> str:
    return postgresql_url


@pytest.fixture
def stores(database: Database) -> Stores:
    stores = Stores.of(database)
    fill(stores)
    return stores


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[LosingProxy]:
    with losing_proxy(postgres.port) as running:
        yield running


def engine_of(database: Database) -> sa.Engine:
    with database.reading() as connection:
        return connection.engine


def test_a_connection_that_ended_while_idle_is_replaced(stores, postgres):
    end_connections(postgres)
    assert stores.catalogue.progress() == (1, 3)
    end_connections(postgres)
    assert stores.browsing.totals().tracks == 3


def test_a_transaction_whose_connection_ends_is_repeated_completely(stores, database, postgres):
    ended: list[bool] = []

    @sa.event.listens_for(engine_of(database), "before_cursor_execute")
    def end_once(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE") and not ended:
            ended.append(statement)
            end_connections(postgres)

    analyse(stores.catalogue, observed("a"), "audio")
    assert len(ended) == 1
    assert stores.catalogue.track_ids_by_audio() == {"audio": observed("a").track_id}
    assert len(stores.catalogue.contents([observed("a").content_digest])) == 1


def test_a_call_waits_for_a_server_that_restarts(stores, postgres):
    postgres.stop()
    again = threading.Timer(0.3, postgres.start)
    again.start()
    try:
        observe(stores.catalogue, observed("new"))
    finally:
        again.join()
    assert [track.blob_name for track in stores.catalogue.soundtracks()] == ["a", "b", "c", "new"]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_whose_commit_got_no_answer_has_the_same_result_when_repeated(stores, database, proxy, change):
    through_proxy = engine_of(database).url.set(port=proxy.port).render_as_string(hide_password=False)
    with closing(open_database(through_proxy)) as losing_database:
        losing = Stores.of(losing_database)
        proxy.losses = 1
        change(losing)
        found = everything(losing)
    assert proxy.losses == 0

    observe(stores.catalogue, gone=tuple("abcd"))
    for query in ("query", "other"):
        digests = [observed(name).content_digest for name in "abcd"]
        stores.recommendations.forget_upload(query, content_digests=digests)
    fill(stores)
    change(stores)
    assert found == everything(stores)


def test_every_changing_method_is_tried_with_a_lost_commit():
    reading = {"manifest", "soundtracks", "audio_of_soundtracks", "waiting", "progress", "contents", "rejects"}
    reading |= {"soundtracks_of_run", "track_ids", "track_ids_by_audio", "digests_of_audio"}
    reading |= {"known_files", "track_counts"}
    reading |= {
        "tracks_of_audio",
        "tracks_with_ids",
        "credits",
        "recommended",
        "unserved_soundtracks",
        "soundtracks_of_other_indexes",
        "origins_of_shards",
        "differing",
    }
    reading |= {
        "shard_digits",
        "dangling_recommendations",
        "every",
        "skipped_files",
        "rows_of_upload",
        "with_rows",
        "index_versions",
        "count",
        "seconds_of_audio",
    }
    reading |= {"stored_key", "stored_keys"}
    reading |= {"track", "tracks", "tracks_page", "totals", "artists", "album", "albums", "genres", "years"}
    reading |= {"artist", "albums_of_artist", "random_albums", "songs", "random_songs", "songs_of_album"}
    reading |= {"songs_of_artist", "last_change"}
    assert {name for store in STORES for name in public_methods(store)} == CHANGES.keys() | reading


def test_threads_that_record_the_same_rows_at_once_do_not_collide(stores):
    files = [observed(name) for name in "abc"]
    catalogue = stores.catalogue

    def record(number: int) -> None:
        for file in files if number % 2 else reversed(files):
            analyse(catalogue, file, f"audio of {file.blob_name}")
            catalogue.record_reject(reject(file), run_id="run")
        observe(catalogue, *(files if number % 2 else reversed(files)))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(record, range(24)))
    assert len(catalogue.rejects()) == 3
    assert len(catalogue.contents(file.content_digest for file in files)) == 3
    assert recommended(stores.recommendations, "query") == [(1, "a"), (2, "b")]
