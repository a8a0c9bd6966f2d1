"""The contract of `Recommendations`, over every database."""

from collections.abc import Sequence
from dataclasses import fields

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfcc_assets.errors import StoreError
from mfcc_assets.ids import AudioId, TrackId, UploadId, track_id
from mfcc_assets.storage.sql.recommendations import Recommendations
from mfcc_assets.storage.sql.records import AudioContent, Recommendation, RecommendedSoundtrack, Reject
from mfcc_assets.storage.sql.rows import IDS_PER_QUERY
from mfcc_assets.storage.sql.schema import RECOMMENDATIONS
from mfcc_assets_tests.storage.sql.table_rows import analyse, observe, observed, places_of, recommend, recommended


def update(
    recommendations: Recommendations,
    lists: dict[str, str],
    *,
    version: str = "v1",
    method: str = "dtw",
    run: str = "run",
    complete: Sequence[str] = (),
) -> int:
    wanted = {TrackId(query): places_of(names) for query, names in lists.items()}
    return recommendations.update_recommendations(
        wanted, method=method, index_version=version, run_id=run, complete=complete, made_from="digest"
    )


def runs(url: str) -> dict[str, set[str]]:
    """Return the runs that wrote the rows of each query."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.select(RECOMMENDATIONS.c.QUERY_ID, RECOMMENDATIONS.c.RUN_ID)).all()
    engine.dispose()
    found: dict[str, set[str]] = {}
    for query, run in rows:
        found.setdefault(query, set()).add(run)
    return found


class TestLists:
    def test_the_view_shows_titles_and_artwork_with_the_best_track_first(self, catalogue, recommendations):
        observe(catalogue, observed("query.mp3"), observed("a.mp3", title="Ocean", artist="Will"), observed("b.mp3"))
        analyse(catalogue, observed("a.mp3"), "audio")
        assert recommend(recommendations, track_id("query.mp3"), "b.mp3", "a.mp3") == 2
        best, second = recommendations.recommended(track_id("query.mp3"))
        assert best.title == "b.mp3"
        assert second == RecommendedSoundtrack(
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

    def test_the_view_has_every_promised_column_and_the_titles_of_queries(self, catalogue, recommendations, url):
        observe(catalogue, observed("query.mp3", title="Mine"), observed("a.mp3"))
        recommend(recommendations, track_id("query.mp3"), "a.mp3")
        recommend(recommendations, "an upload", "a.mp3")
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            rows = connection.execute(sa.text('SELECT * FROM "RECOMMENDED_SOUNDTRACKS"')).mappings().all()
        engine.dispose()
        promised = {field.name.upper() for field in fields(RecommendedSoundtrack)} | {"GENRE", "CREATED_AT"}
        assert set(rows[0]) == promised | {"QUERY_TITLE", "QUERY_ARTIST"}
        assert {row["QUERY_ID"]: row["QUERY_TITLE"] for row in rows} == {
            track_id("query.mp3"): "Mine",
            "an upload": None,
        }

    def test_a_second_list_replaces_the_first(self, catalogue, recommendations):
        observe(catalogue, *map(observed, "abc"))
        recommend(recommendations, "query", "a", "b", "c")
        recommend(recommendations, "other", "a")
        recommend(recommendations, "query", "a", "b", "c")
        assert recommended(recommendations, "query") == [(1, "a"), (2, "b"), (3, "c")]
        assert recommend(recommendations, "query", "c", version="v2") == 1
        assert [(row.rank, row.blob_name, row.index_version) for row in recommendations.recommended("query")] == [
            (1, "c", "v2")
        ]
        assert recommend(recommendations, "query") == 0
        assert recommended(recommendations, "query") == []
        assert recommended(recommendations, "other") == [(1, "a")]
        assert recommendations.count() == 1

    def test_ranks_close_up_when_a_track_is_gone(self, catalogue, recommendations):
        observe(catalogue, *map(observed, "abcd"))
        observe(catalogue, gone=("b",))
        assert recommend(recommendations, "query", "a", "b", "c", "d") == 3
        assert recommended(recommendations, "query") == [(1, "a"), (2, "c"), (3, "d")]

    def test_a_list_that_cannot_be_written_leaves_the_previous_one(self, catalogue, recommendations):
        observe(catalogue, *map(observed, "ab"))
        recommend(recommendations, "query", "a", "b")
        with pytest.raises(StoreError):
            recommend(recommendations, "query", "b", "b")
        assert recommended(recommendations, "query") == [(1, "a"), (2, "b")]

    def test_lists_of_many_queries_can_be_updated_at_once(self, catalogue, recommendations):
        observe(catalogue, *map(observed, "abc"))
        queries = [f"{number:04}" for number in range(2 * IDS_PER_QUERY + 1)]
        assert update(recommendations, dict.fromkeys(queries, "ab")) == 2 * len(queries)
        assert (
            update(recommendations, {query: "bc" if query == "0007" else "ab" for query in queries}, version="v2") == 2
        )
        for query in ("0000", "0007", queries[-1]):
            wanted = "bc" if query == "0007" else "ab"
            assert recommended(recommendations, query) == list(enumerate(wanted, start=1))
            versions = {row.index_version for row in recommendations.recommended(query)}
            assert versions == {"v2" if query == "0007" else "v1"}, "an unchanged list names the index that wrote it"

    def test_an_unchanged_list_keeps_the_run_that_wrote_it(self, catalogue, recommendations, url):
        observe(catalogue, *map(observed, "abc"))
        update(recommendations, {"stays": "ab", "changes": "ab"})
        update(recommendations, {"stays": "ab", "changes": "ac"}, version="v2", run="second run")
        assert runs(url) == {"stays": {"run"}, "changes": {"second run"}}

    @pytest.mark.parametrize("wanted", ["b", "ba", "abc", ""])
    def test_a_changed_list_is_written_completely(self, catalogue, recommendations, wanted):
        observe(catalogue, *map(observed, "abc"))
        update(recommendations, {"query": "ab", "other": "c"})
        lists = {TrackId("query"): places_of(wanted), TrackId("other"): places_of("c")}
        assert list(recommendations.differing(lists, method="dtw")) == ["query"]
        assert list(recommendations.differing(lists, method="article")) == ["query", "other"]
        assert update(recommendations, {"query": wanted, "other": "c"}) == len(wanted)
        assert recommended(recommendations, "query") == list(enumerate(wanted, start=1))
        assert recommended(recommendations, "other") == [(1, "c")]

    def test_a_list_with_another_method_or_other_distances_is_written_again(self, catalogue, recommendations):
        observe(catalogue, *map(observed, "ab"))
        update(recommendations, {"query": "ab"})
        assert update(recommendations, {"query": "ab"}, method="article") == 2
        assert {row.method for row in recommendations.recommended("query")} == {"article"}
        farther = [Recommendation(place.rank, place.track_id, 2 * place.distance) for place in places_of("ab")]
        assert (
            recommendations.update_recommendations({"query": farther}, method="article", index_version="v1", run_id="")
            == 2
        )

    def test_one_list_that_cannot_be_written_leaves_all_lists_unchanged(self, catalogue, recommendations):
        observe(catalogue, *map(observed, "ab"))
        update(recommendations, {"query": "ab"})
        with pytest.raises(StoreError):
            update(recommendations, {"query": "ba", "other": "bb"}, version="v2")
        assert recommended(recommendations, "query") == [(1, "a"), (2, "b")]
        assert update(recommendations, {}) == 0

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        there=st.sets(st.sampled_from("abcdef")),
        lists=st.lists(st.lists(st.sampled_from("abcdef"), unique=True), min_size=1, max_size=3),
    )
    @pytest.mark.parametrize("put", [recommend, lambda lists, query, *names: update(lists, {query: "".join(names)})])
    def test_a_query_has_the_existing_tracks_of_its_last_list(self, catalogue, recommendations, there, lists, put):
        observe(catalogue, *map(observed, sorted(there)), gone=tuple(sorted(set("abcdef") - there)))
        for names in lists:
            put(recommendations, "query", *names)
        kept = [name for name in lists[-1] if name in there]
        assert recommended(recommendations, "query") == list(enumerate(kept, start=1))


class TestOutdatedLists:
    def test_soundtracks_with_too_few_recommendations_are_found(self, catalogue, recommendations):
        files = [observed(f"{number}.mp3") for number in range(3)]
        observe(catalogue, *files)
        for number, file in enumerate(files):
            analyse(catalogue, file, f"{number:032x}")
        one, two, three = (file.track_id for file in files)
        places = [Recommendation(1, two, 0.1), Recommendation(2, three, 0.2)]
        recommendations.update_recommendations(
            {one: places, two: places[1:]},
            method="m",
            index_version="v",
            run_id="run",
            complete=sorted({file.track_id[:1] for file in files}),
        )
        assert recommendations.unserved_soundtracks("v", 2) == {two: 1, three: 0}
        assert recommendations.unserved_soundtracks("other", 2) == {one: 0, two: 0, three: 0}

    def test_soundtracks_with_recommendations_of_another_index_are_counted(self, catalogue, recommendations):
        observe(catalogue, *map(observed, "abc"))
        recommend(recommendations, observed("a").track_id, "b", "c", version="v1")
        recommend(recommendations, observed("b").track_id, "c", version="v2")
        recommend(recommendations, "an upload", "c", version="v1")
        assert recommendations.soundtracks_of_other_indexes("v1") == 1
        assert recommendations.soundtracks_of_other_indexes("v3") == 2

    def test_a_shard_tells_once_for_all_its_soundtracks_which_index_recommends(self, catalogue, recommendations):
        observe(catalogue, *map(observed, "abc"))
        lists, shard = {str(observed("a").track_id): "bc"}, observed("a").track_id[:1]
        update(recommendations, lists, complete=[shard])
        assert update(recommendations, {}, version="v2", complete=[shard]) == 0
        assert recommendations.origins_of_shards() == {shard: ("v2", "digest")}
        assert recommendations.index_versions() == ["v2"]
        assert recommendations.soundtracks_of_other_indexes("v1") == 1
        assert recommendations.soundtracks_of_other_indexes("v2") == 0

    def test_queries_with_recommendations_are_told_from_those_without(self, catalogue, recommendations):
        observe(catalogue, observed("a"))
        recommend(recommendations, "an upload", "a")
        assert recommendations.with_rows(["an upload", "another"]) == {"an upload"}
        assert recommendations.with_rows([]) == set()

    def test_the_index_that_recommends_for_most_soundtracks_is_first(self, catalogue, recommendations):
        observe(catalogue, *map(observed, "abc"))
        assert recommendations.index_versions() == []
        recommend(recommendations, observed("a").track_id, "b", "c", version="v1")
        for name in "bc":
            recommend(recommendations, observed(name).track_id, "a", version="v2")
        recommend(recommendations, "an upload", "a", "b", "c", version="v1")
        assert recommendations.index_versions() == ["v2", "v1"]


class TestForgetting:
    def test_forgetting_an_upload_removes_its_list_its_reject_and_its_content(self, catalogue, recommendations):
        observe(catalogue, *map(observed, "ab"))
        for query in ("upload", "other"):
            recommend(recommendations, query, "a", "b")
            catalogue.record_reject(Reject(UploadId(query), "uploads", "a.mp3", "too_short", "0.5 s"), run_id="run")
            catalogue.record_content(AudioContent(f"bytes of {query}", AudioId("audio"), 1.0, ""))
        assert recommendations.rows_of_upload("upload", content_digests=["bytes of upload"]) == 2 + 1 + 1
        assert recommendations.forget_upload("upload", content_digests=["bytes of upload"]) == 2
        assert recommendations.forget_upload("upload", content_digests=[]) == 0
        assert recommendations.rows_of_upload("upload", content_digests=["bytes of upload"]) == 0
        assert recommended(recommendations, "upload") == []
        assert recommended(recommendations, "other") == [(1, "a"), (2, "b")]
        assert [found.subject_id for found in catalogue.rejects()] == ["other"]
        assert list(catalogue.contents(["bytes of upload", "bytes of other"])) == ["bytes of other"]

    def test_the_content_of_a_soundtrack_stays_when_an_upload_of_the_same_bytes_is_forgotten(
        self, catalogue, recommendations
    ):
        observe(catalogue, observed("a"))
        digest = observed("a").content_digest
        catalogue.record_content(AudioContent(digest, AudioId("audio"), 1.0, ""))

        recommendations.forget_upload("upload", content_digests=[digest])

        assert list(catalogue.contents([digest])) == [digest]
        assert recommendations.rows_of_upload("upload", content_digests=[digest]) == 0
