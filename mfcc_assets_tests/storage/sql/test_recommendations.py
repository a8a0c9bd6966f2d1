from dataclasses import fields

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mfcc_assets.storage.sql.tables import IDS_A_QUERY, Tables

from mfcc_assets.errors import StoreError
from mfcc_assets.ids import track_id
from mfcc_assets.storage.sql.records import Recommendation, Recommended
from mfcc_assets.storage.sql.schema import RECOMMENDATIONS
from mfcc_assets_tests.storage.sql.table_rows import analyse, observe, observed, places_of, recommend, recommended


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
