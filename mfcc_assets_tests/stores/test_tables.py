"""What `Tables` promises over every database, and what SQLite promises beyond it."""

import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import fields, replace

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfcc_assets.core.catalogue import shard_names, shard_of, track_id
from mfcc_assets.core.errors import StoreError
from mfcc_assets.core.tags import Tags
from mfcc_assets.stores.database import Database
from mfcc_assets.stores.records import Content, Credit, Observed, Recommendation, Recommended, Reject, Soundtrack
from mfcc_assets.stores.schema import RECOMMENDATIONS
from mfcc_assets.stores.tables import IDS_A_QUERY, Tables

SHARDS = shard_names(1)
UNUSUAL_NAMES = [
    'it\'s a "quote"; DROP TABLE SOUNDTRACKS; --.mp3',
    "100% _wild_ [a-z] \\.mp3",
    "🎷.flac",
    "日本語/العربية/ääkköset.ogg",
    "x" * 1024,
    "🎷" * 1024,
    "é" * 1024,
    ":a ?b %s {c} %(d)s.mp3",
]
HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(2)
print("released", flush=True)
connection.execute("COMMIT")
connection.close()
"""


@pytest.fixture
def tables(url: str):
    with Tables(url) as opened:
        yield opened


def observed(name: str, version: int = 1, **tags: object) -> Observed:
    digest = f"{track_id(name)}{version:016x}"
    return Observed(name, f"etag {version}", 1000 + version, digest, Tags(**{"title": name[:60], **tags}), "cover.svg")


def observe(tables: Tables, *files: Observed, gone: tuple[str, ...] = ()) -> None:
    tables.record_observed(files, gone, shard_digits=1, run_id="run")


def analyse(tables: Tables, file: Observed, audio_id: str, note: str = "") -> None:
    tables.record_content(Content(file.content_digest, audio_id, 61.5, note), track=file.track_id)


def reject(file: Observed, reason: str = "silent") -> Reject:
    return Reject(file.track_id, "soundtracks", file.blob_name, "silent", reason)


def recommend(tables: Tables, query: str, *names: str, version: str = "v1") -> int:
    return tables.replace_recommendations(query, places_of(names), method="dtw", index_version=version, run_id="run")


def places_of(names: Iterable[str]) -> list[Recommendation]:
    return [Recommendation(rank, track_id(name), rank / 3) for rank, name in enumerate(names, start=1)]


def update(tables: Tables, lists: dict[str, str], *, version: str = "v1", method: str = "dtw", run: str = "run") -> int:
    wanted = {query: places_of(names) for query, names in lists.items()}
    return tables.update_recommendations(wanted, method=method, index_version=version, run_id=run)


def runs(url: str) -> dict[str, set[str]]:
    """The runs that wrote the list of each query."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(RECOMMENDATIONS.c.QUERY_ID, RECOMMENDATIONS.c.RUN_ID)).all()
    engine.dispose()
    found: dict[str, set[str]] = {}
    for query, run in rows:
        found.setdefault(query, set()).add(run)
    return found


def recommended(tables: Tables, query: str) -> list[tuple[int, str]]:
    return [(row.rank, row.blob_name) for row in tables.recommended(query)]


class TestSoundtracks:
    def test_what_is_observed_is_waiting(self, tables):
        observe(
            tables,
            observed("a.mp3", title="Ocean", artist="Will", album="Rogue", genre="Rock", track_number=3, year=2021),
        )
        assert tables.soundtracks() == [
            Soundtrack(
                track_id=track_id("a.mp3"),
                blob_name="a.mp3",
                bytes=observed("a.mp3").bytes,
                content_digest=observed("a.mp3").content_digest,
                title="Ocean",
                artist="Will",
                album="Rogue",
                genre="Rock",
                artwork="cover.svg",
                audio_id=None,
                analysed_digest=None,
                seconds=None,
                note="",
            )
        ]
        assert tables.soundtracks()[0].state == "waiting"
        assert tables.progress() == (0, 1)

    def test_observing_again_replaces_and_never_doubles(self, tables):
        observe(tables, observed("a.mp3"), observed("b.mp3"))
        observe(tables, observed("a.mp3", title="New"), observed("b.mp3"), observed("c.mp3"))
        assert [(track.blob_name, track.title) for track in tables.soundtracks()] == [
            ("a.mp3", "New"),
            ("b.mp3", "b.mp3"),
            ("c.mp3", "c.mp3"),
        ]

    @pytest.mark.parametrize("name", UNUSUAL_NAMES)
    def test_every_name_survives_in_every_table(self, tables, name):
        file = observed(name, artist=name[:100])
        observe(tables, file, observed("plain"))
        tables.record_reject(reject(file, reason=name), run_id="run")
        recommend(tables, "query", name)
        assert tables.manifest(SHARDS)[name] == "etag 1"
        assert {track.blob_name: track.artist for track in tables.soundtracks()}[name] == name[:100]
        assert [(found.blob_name, found.reason) for found in tables.rejects()] == [(name, name)]
        assert recommended(tables, "query") == [(1, name)]

    def test_a_manifest_is_of_the_shards_asked_for(self, tables):
        files = [observed(f"{number}.mp3", version=number) for number in range(40)]
        observe(tables, *files)
        for shard in SHARDS:
            expected = {file.blob_name: file.etag for file in files if shard_of(file.track_id, 1) == shard}
            assert tables.manifest([shard]) == expected
            assert {track.blob_name for track in tables.soundtracks([shard])} == expected.keys()
        assert tables.manifest(SHARDS) == {file.blob_name: file.etag for file in files}
        assert tables.manifest([]) == {}
        assert tables.soundtracks([]) == []

    def test_a_thousand_files_are_observed_and_go_in_one_call(self, tables):
        files = [observed(f"{number}.mp3") for number in range(1_000)]
        observe(tables, *files)
        observe(tables, *(replace(file, etag="changed") for file in files))
        assert set(tables.manifest(SHARDS).values()) == {"changed"}
        observe(tables, gone=tuple(file.blob_name for file in files[1:]))
        assert list(tables.manifest(SHARDS)) == ["0.mp3"]

    def test_analysed_audio_keeps_serving_while_a_changed_file_waits(self, tables):
        observe(tables, observed("a.mp3"))
        analyse(tables, observed("a.mp3"), "audio", note="cut off")
        assert [(track.state, track.seconds) for track in tables.soundtracks()] == [("analysed", 61.5)]
        observe(tables, observed("a.mp3", version=2))
        [track] = tables.soundtracks()
        assert (track.state, track.audio_id, track.note) == ("waiting", "audio", "cut off")
        assert tables.audio() == {"audio": track.track_id}
        assert tables.progress() == (0, 1)

    def test_a_soundtrack_that_goes_takes_its_recommendations_and_its_reject_with_it(self, tables):
        observe(tables, *map(observed, ["a", "b", "c"]))
        for query in ("a", "b", "c"):
            recommend(tables, track_id(query), *({"a", "b", "c"} - {query}))
        tables.record_reject(reject(observed("b")), run_id="run")
        observe(tables, gone=("b", "never there"))
        assert tables.recommended(track_id("b")) == []
        assert [row.blob_name for row in tables.recommended(track_id("a"))] == ["c"]
        assert [row.blob_name for row in tables.recommended(track_id("c"))] == ["a"]
        assert tables.rejects() == []
        assert tables.dangling_recommendations() == 0


class TestContents:
    def test_what_bytes_hold_is_known_under_any_name(self, tables):
        content = Content("d" * 32, "a" * 32, 12.25, "cut off")
        tables.record_content(replace(content, note="before"))
        tables.record_content(content)
        assert tables.contents(["d" * 32, "d" * 32, "unknown"]) == {"d" * 32: content}

    def test_more_digests_than_one_statement_takes_are_looked_up(self, tables):
        known = [f"{number:032x}" for number in range(0, 2 * IDS_A_QUERY + 10, 100)]
        for digest in known:
            tables.record_content(Content(digest, digest, 1.0, ""))
        found = tables.contents(f"{number:032x}" for number in range(2 * IDS_A_QUERY + 10))
        assert sorted(found) == known

    def test_of_duplicates_the_first_by_name_stands_for_the_audio(self, tables):
        files = [observed(name) for name in ("c.mp3", "a.mp3", "b.mp3")]
        observe(tables, *files)
        for file in files:
            analyse(tables, file, "one audio")
        assert tables.audio() == {"one audio": track_id("a.mp3")}
        assert tables.tracks_of_audio(["one audio", "no audio"])["one audio"].blob_name == "a.mp3"
        observe(tables, gone=("a.mp3",))
        assert tables.audio() == {"one audio": track_id("b.mp3")}
        assert [track.blob_name for track in tables.tracks_of_audio(["one audio"]).values()] == ["b.mp3"]

    def test_more_audio_than_one_statement_takes_is_looked_up(self, tables):
        files = [observed(f"{number}") for number in range(3)]
        observe(tables, *files)
        for number, file in enumerate(files):
            analyse(tables, file, f"{number * IDS_A_QUERY:05}")
        found = tables.tracks_of_audio(f"{number:05}" for number in range(2 * IDS_A_QUERY + 1))
        assert sorted(found) == ["00000", "00500", "01000"]


class TestRejects:
    def test_a_reject_says_why_and_counts_as_looked_at(self, tables):
        file = observed("a.mp3")
        observe(tables, file)
        tables.record_reject(reject(file, reason="before"), run_id="run")
        tables.record_reject(reject(file, reason="it is silent"), run_id="run", content_digest=file.content_digest)
        assert tables.rejects() == [reject(file, reason="it is silent")]
        assert [(track.state, track.note, track.audio_id) for track in tables.soundtracks()] == [
            ("rejected", "it is silent", None)
        ]
        assert tables.progress() == (1, 1)

    def test_a_reject_whose_verdict_a_setting_can_change_counts_as_looked_at_too(self, tables):
        observe(tables, observed("a.mp3"))
        tables.record_reject(reject(observed("a.mp3")), run_id="run")
        assert tables.progress() == (1, 1)
        assert not tables.soundtracks()[0].is_waiting

    @pytest.mark.parametrize("content_digest", [None, observed("a.mp3").content_digest])
    def test_a_reject_whose_bytes_change_waits_again(self, tables, content_digest):
        observe(tables, observed("a.mp3"))
        tables.record_reject(reject(observed("a.mp3")), run_id="run", content_digest=content_digest)
        observe(tables, replace(observed("a.mp3"), etag="touched"))
        assert tables.soundtracks()[0].state == "rejected"
        observe(tables, observed("a.mp3", version=2))
        assert tables.soundtracks()[0].state == "waiting"

    def test_the_soundtracks_that_wait_are_those_whose_rows_say_so(self, tables):
        names = ["analysed", "changed", "new", "rejected", "rejected for good", "rejected, changed"]
        observe(tables, *map(observed, names))
        for name in ("analysed", "changed"):
            analyse(tables, observed(name), f"audio of {name}")
        for name in names[3:]:
            digest = None if name == "rejected" else observed(name).content_digest
            tables.record_reject(reject(observed(name)), run_id="run", content_digest=digest)
        observe(tables, observed("changed", version=2), observed("rejected, changed", version=2))
        assert tables.waiting() == [track.blob_name for track in tables.soundtracks() if track.is_waiting]
        assert tables.waiting() == ["changed", "new", "rejected, changed"]

    def test_a_reject_that_can_be_used_at_last_is_none(self, tables):
        observe(tables, observed("a.mp3"))
        tables.record_reject(reject(observed("a.mp3")), run_id="run")
        analyse(tables, observed("a.mp3"), "audio")
        assert tables.rejects() == []
        assert tables.soundtracks()[0].state == "analysed"

    def test_soundtracks_and_uploads_are_rejected_side_by_side(self, tables):
        upload = Reject("f" * 32, "uploads", "a.mp3", "too_short", "0.5 s")
        soundtrack = reject(observed("z.mp3"))
        tables.record_reject(upload, run_id="run")
        tables.record_reject(soundtrack, run_id="run")
        assert tables.rejects() == [soundtrack, upload]

    @pytest.mark.parametrize("character", ["x", "🎷"])
    def test_a_reason_that_is_too_long_is_cut_at_a_whole_character(self, tables, character):
        observe(tables, observed("a.mp3"))
        tables.record_reject(reject(observed("a.mp3"), reason=character * 5_000), run_id="run")
        units = len(character.encode("utf-16-le")) // 2
        assert tables.rejects()[0].reason == character * (2048 // units)
        assert tables.soundtracks()[0].note == character * (255 // units)


class TestRecommendations:
    def test_the_view_shows_titles_and_artwork_best_first(self, tables):
        observe(tables, observed("query.mp3"), observed("a.mp3", title="Ocean", artist="Will"), observed("b.mp3"))
        analyse(tables, observed("a.mp3"), "audio")
        assert recommend(tables, track_id("query.mp3"), "b.mp3", "a.mp3") == 2
        best, second = tables.recommended(track_id("query.mp3"))
        assert best.title == "b.mp3"
        assert second == Recommended(
            query_id=track_id("query.mp3"),
            rank=2,
            track_id=track_id("a.mp3"),
            title="Ocean",
            artist="Will",
            album="",
            seconds=61.5,
            blob_name="a.mp3",
            artwork="cover.svg",
            distance=2 / 3,
            method="dtw",
            index_version="v1",
        )

    def test_the_view_has_every_column_that_is_promised_and_the_titles_of_queries(self, tables, url):
        observe(tables, observed("query.mp3", title="Mine"), observed("a.mp3"))
        recommend(tables, track_id("query.mp3"), "a.mp3")
        recommend(tables, "an upload", "a.mp3")
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            rows = connection.execute(sa.text('SELECT * FROM "RECOMMENDED_SOUNDTRACKS"')).mappings().all()
        engine.dispose()
        promised = {field.name.upper() for field in fields(Recommended)} | {"GENRE", "CREATED_AT"}
        assert set(rows[0]) == promised | {"QUERY_TITLE", "QUERY_ARTIST"}
        assert {row["QUERY_ID"]: row["QUERY_TITLE"] for row in rows} == {
            track_id("query.mp3"): "Mine",
            "an upload": None,
        }

    def test_a_second_list_replaces_the_first(self, tables):
        observe(tables, *map(observed, "abc"))
        recommend(tables, "query", "a", "b", "c")
        recommend(tables, "other", "a")
        recommend(tables, "query", "a", "b", "c")
        assert recommended(tables, "query") == [(1, "a"), (2, "b"), (3, "c")]
        assert recommend(tables, "query", "c", version="v2") == 1
        assert [(row.rank, row.blob_name, row.index_version) for row in tables.recommended("query")] == [(1, "c", "v2")]
        assert recommend(tables, "query") == 0
        assert recommended(tables, "query") == []
        assert recommended(tables, "other") == [(1, "a")]

    def test_ranks_close_up_over_a_track_that_went(self, tables):
        observe(tables, *map(observed, "abcd"))
        observe(tables, gone=("b",))
        assert recommend(tables, "query", "a", "b", "c", "d") == 3
        assert recommended(tables, "query") == [(1, "a"), (2, "c"), (3, "d")]

    def test_a_list_that_cannot_be_written_leaves_the_former_one(self, tables):
        observe(tables, *map(observed, "ab"))
        recommend(tables, "query", "a", "b")
        with pytest.raises(StoreError):
            recommend(tables, "query", "b", "b")
        assert recommended(tables, "query") == [(1, "a"), (2, "b")]

    def test_lists_of_many_queries_are_brought_up_to_date_at_once(self, tables):
        observe(tables, *map(observed, "abc"))
        queries = [f"{number:04}" for number in range(2 * IDS_A_QUERY + 1)]
        assert update(tables, dict.fromkeys(queries, "ab")) == 2 * len(queries)
        assert update(tables, {query: "bc" if query == "0007" else "ab" for query in queries}, version="v2") == 2
        for query in ("0000", "0007", queries[-1]):
            wanted = "bc" if query == "0007" else "ab"
            assert recommended(tables, query) == list(enumerate(wanted, start=1))
            assert {row.index_version for row in tables.recommended(query)} == {"v2"}

    def test_a_list_that_stays_keeps_the_run_that_wrote_it(self, tables, url):
        observe(tables, *map(observed, "abc"))
        update(tables, {"stays": "ab", "changes": "ab"})
        update(tables, {"stays": "ab", "changes": "ac"}, version="v2", run="second run")
        assert runs(url) == {"stays": {"run"}, "changes": {"second run"}}

    @pytest.mark.parametrize("wanted", ["b", "ba", "abc", ""])
    def test_a_list_with_other_places_is_written_whole(self, tables, wanted):
        observe(tables, *map(observed, "abc"))
        update(tables, {"query": "ab", "other": "c"})
        assert update(tables, {"query": wanted, "other": "c"}) == len(wanted)
        assert recommended(tables, "query") == list(enumerate(wanted, start=1))
        assert recommended(tables, "other") == [(1, "c")]

    def test_a_list_of_another_method_or_with_other_distances_is_written_again(self, tables):
        observe(tables, *map(observed, "ab"))
        update(tables, {"query": "ab"})
        assert update(tables, {"query": "ab"}, method="article") == 2
        assert {row.method for row in tables.recommended("query")} == {"article"}
        farther = [Recommendation(place.rank, place.track_id, 2 * place.distance) for place in places_of("ab")]
        assert tables.update_recommendations({"query": farther}, method="article", index_version="v1", run_id="") == 2

    def test_one_list_that_cannot_be_written_leaves_all_as_they_were(self, tables):
        observe(tables, *map(observed, "ab"))
        update(tables, {"query": "ab"})
        with pytest.raises(StoreError):
            update(tables, {"query": "ba", "other": "bb"}, version="v2")
        assert recommended(tables, "query") == [(1, "a"), (2, "b")]
        assert update(tables, {}) == 0

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        there=st.sets(st.sampled_from("abcdef")),
        lists=st.lists(st.lists(st.sampled_from("abcdef"), unique=True), min_size=1, max_size=3),
    )
    @pytest.mark.parametrize("put", [lambda *given: recommend(*given), lambda t, q, *n: update(t, {q: "".join(n)})])
    def test_a_query_has_the_tracks_of_its_last_list_that_are_there(self, tables, there, lists, put):
        observe(tables, *map(observed, sorted(there)), gone=tuple(sorted(set("abcdef") - there)))
        for names in lists:
            put(tables, "query", *names)
        kept = [name for name in lists[-1] if name in there]
        assert recommended(tables, "query") == list(enumerate(kept, start=1))


class TestOpening:
    def test_the_rows_survive_the_process(self, tables, url):
        observe(tables, observed("a.mp3"))
        with Tables(url) as again:
            assert again.soundtracks() == tables.soundtracks()

    def test_a_closed_database_opens_again_when_it_is_used(self, tables):
        observe(tables, observed("a.mp3"))
        tables.close()
        assert len(tables.soundtracks()) == 1


class TestSqlite:
    def test_a_writer_waits_for_another_process_and_a_reader_does_not(self, sqlite_url):
        with Tables(sqlite_url) as tables:
            observe(tables, observed("a.mp3"))
            path = sa.make_url(sqlite_url).database
            with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True) as holder:
                assert holder.stdout.readline() == "held\n"
                assert len(tables.soundtracks()) == 1
                assert holder.poll() is None
                observe(tables, observed("b.mp3"))
                assert holder.stdout.readline() == "released\n"
            assert len(tables.soundtracks()) == 2

    def test_a_lock_that_is_held_for_too_long_is_a_store_error(self, sqlite_url, monkeypatch):
        monkeypatch.setattr("mfcc_assets.stores.database.LOCK_SECONDS", 0.1)
        with Tables(sqlite_url) as tables, closing(Database(sqlite_url)) as other, other.writing():  # noqa: SIM117
            with pytest.raises(StoreError, match=r"database is locked.*who else holds a lock"):
                observe(tables, observed("a.mp3"))

    def test_a_recommendation_of_a_track_that_is_not_there_is_refused(self, sqlite_url):
        with Tables(sqlite_url) as tables, closing(Database(sqlite_url)) as database:
            observe(tables, observed("a"))
            recommend(tables, "query", "a")
            with database.writing() as connection:
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
                connection.exec_driver_sql('DELETE FROM "SOUNDTRACKS"')
            assert tables.recommended("query") == []


def test_every_audio_is_credited_to_the_first_track_that_has_it(tables) -> None:
    first, second = observed("a.mp3", artist="Zoë", album="Sea"), observed("b.mp3", artist="Nobody")
    observe(tables, first, second, observed("waiting.mp3"))
    for file in (second, first):
        analyse(tables, file, "f" * 32)

    assert tables.credits() == {"f" * 32: Credit(first.track_id, "Zoë", "Sea")}


def test_soundtracks_with_another_number_of_recommendations_are_told_with_that_number(tables) -> None:
    files = [observed(f"{number}.mp3") for number in range(3)]
    observe(tables, *files)
    for number, file in enumerate(files):
        analyse(tables, file, f"{number:032x}")
    one, two, three = (file.track_id for file in files)
    places = [Recommendation(1, two, 0.1), Recommendation(2, three, 0.2)]
    tables.update_recommendations({one: places, two: places[1:]}, method="m", index_version="v", run_id="run")

    assert tables.unserved_soundtracks("v", 2) == {two: 1, three: 0}
    assert tables.unserved_soundtracks("other", 2) == {one: 0, two: 0, three: 0}
