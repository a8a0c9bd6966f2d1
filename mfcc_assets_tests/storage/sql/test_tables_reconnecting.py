"""Servers go away: what was asked of the tables succeeds all the same, and once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from mfcc_assets.storage.sql.tables import Tables

from mfcc_assets.ids import shard_names
from mfcc_assets.storage.sql.records import AudioContent
from mfcc_assets_tests.services.losing_proxy import LosingProxy, losing_proxy
from mfcc_assets_tests.services.postgres import Postgres
from mfcc_assets_tests.storage.sql.table_rows import (
    analyse,
    observe,
    observed,
    places_of,
    recommend,
    recommended,
    reject,
)

BACKENDS = "FROM pg_stat_activity WHERE usename = 'clerk'"

CHANGES: dict[str, Callable[[Tables], object]] = {
    "record_observed": lambda tables: observe(tables, observed("a", 2), observed("d"), gone=("b",)),
    "record_content": lambda tables: analyse(tables, observed("a"), "audio"),
    "record_reject": lambda tables: tables.record_reject(reject(observed("a")), run_id="run"),
    "forget_reject": lambda tables: tables.forget_reject(observed("c").track_id),
    "forget_query": lambda tables: tables.forget_query("query", content_digests=[observed("c").content_digest]),
    "replace_recommendations": lambda tables: recommend(tables, "query", "c", "a"),
    "update_recommendations": lambda tables: tables.update_recommendations(
        {"query": places_of("ca"), "other": places_of("b")}, method="dtw", index_version="v2", run_id="run"
    ),
}


def end_connections(postgres: Postgres) -> None:
    postgres.execute(f"SELECT pg_terminate_backend(pid) {BACKENDS}")


def everything(tables: Tables) -> tuple[object, ...]:
    lists = [tables.recommended(query) for query in ("query", "other")]
    digests = [observed(name).content_digest for name in "abcd"]
    return tables.soundtracks(), tables.manifest(shard_names(1)), tables.contents(digests), tables.rejects(), lists


def fill(tables: Tables) -> None:
    observe(tables, *map(observed, "abc"))
    tables.record_reject(reject(observed("c")), run_id="run")
    tables.record_content(AudioContent(observed("c").content_digest, "audio of c", 1.0, ""))
    recommend(tables, "query", "a", "b")


@pytest.fixture
def tables(postgresql_url: str) -> Iterator[Tables]:
    with Tables(postgresql_url) as opened:
        fill(opened)
        yield opened


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[LosingProxy]:
    with losing_proxy(postgres.port) as running:
        yield running


def test_a_connection_that_ended_while_it_was_idle_is_noticed(tables, postgres):
    end_connections(postgres)
    assert tables.progress() == (1, 3)


def test_a_connection_that_ends_within_a_transaction_is_replaced_and_the_whole_of_it_done_again(tables, postgres):
    ended = []

    @sa.event.listens_for(tables.database._engine, "before_cursor_execute")
    def end_once(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE") and not ended:
            ended.append(statement)
            end_connections(postgres)

    analyse(tables, observed("a"), "audio")
    assert len(ended) == 1
    assert tables.audio() == {"audio": observed("a").track_id}
    assert len(tables.contents([observed("a").content_digest])) == 1


def test_a_server_that_is_stopped_and_started_again_is_waited_for(tables, postgres):
    postgres.stop()
    again = threading.Timer(0.3, postgres.start)
    again.start()
    try:
        observe(tables, observed("new"))
    finally:
        again.join()
    assert [track.blob_name for track in tables.soundtracks()] == ["a", "b", "c", "new"]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_whose_commit_was_done_and_never_answered_is_the_same_done_twice(tables, proxy, change):
    through_proxy = tables.database._engine.url.set(port=proxy.port).render_as_string(hide_password=False)
    with Tables(through_proxy) as losing:
        proxy.losses = 1
        change(losing)
        found = everything(losing)
    assert proxy.losses == 0

    observe(tables, gone=tuple("abcd"))
    for query in ("query", "other"):
        tables.forget_query(query, content_digests=[observed(name).content_digest for name in "abcd"])
    fill(tables)
    change(tables)
    assert found == everything(tables)


def test_every_method_that_changes_something_is_tried_so():
    reading = {"manifest", "soundtracks", "audio_of_soundtracks", "waiting", "progress", "contents", "rejects", "audio"}
    reading |= {"tracks_of_audio", "credits", "recommended", "unserved_soundtracks", "soundtracks_of_other_indexes"}
    reading |= {"shard_digits", "dangling_recommendations", "close"}
    assert {name for name in vars(Tables) if not name.startswith("_")} == CHANGES.keys() | reading


def test_threads_that_record_the_same_at_once_do_not_collide(tables):
    files = [observed(name) for name in "abc"]

    def record(number: int) -> None:
        for file in files if number % 2 else reversed(files):
            analyse(tables, file, f"audio of {file.blob_name}")
            tables.record_reject(reject(file), run_id="run")
        observe(tables, *(files if number % 2 else reversed(files)))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(record, range(24)))
    assert len(tables.rejects()) == 3
    assert len(tables.contents(file.content_digest for file in files)) == 3
    assert recommended(tables, "query") == [(1, "a"), (2, "b")]
