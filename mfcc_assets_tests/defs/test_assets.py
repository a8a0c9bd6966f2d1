"""The metadata that assets show in the Dagster UI, and the results of their checks."""

import html
import re
import time
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mfcc_assets.defs.assets import shared
from mfcc_assets.defs.assets.shared import (
    ROWS_SHOWN,
    names_as_markdown,
    recommendations_as_table,
    table_as_markdown,
    uploads_as_markdown,
)
from mfcc_assets.defs.assets.uploads import BACKFILL_TAG, KEPT
from mfcc_assets.defs.partitions import FILES_TAG
from mfcc_assets.ids import TrackId, UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.progress import read_progress
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql.records import RecommendedSoundtrack
from mfcc_assets.texts import printable
from mfcc_assets_tests.defs.test_definitions import BLOCKING_CHECKS, LINEAGE, OTHER_CHECKS
from mfcc_assets_tests.pipeline.test_reference import shift_stored_cepstra
from mfcc_assets_tests.runs import Run, drop_upload, run_library, run_uploads

SHARDS = 16
STARTER_LIBRARY = Path(str(files("mfcc_assets.demo"))) / "library"


def test_a_table_is_markdown() -> None:
    table = table_as_markdown(("file", "reason"), [("a.mp3", "too | short"), ("b.mp3", "two\nlines")])

    assert table.value == "| file | reason |\n| --- | --- |\n| a.mp3 | too \\| short |\n| b.mp3 | two lines |"


@given(
    st.text(st.characters(exclude_categories=["Zs"]), max_size=30)
    | st.text("[]()!<>`*_~|\\:&;@/.wa#\u202e\x1b\n", max_size=30)
    | st.sampled_from(
        ["![x](http://e.vil/p.png)", "[x](http://e.vil)", "<img src=x>", "a\\", ":smile:", "&lt;b&gt;", "__a__"]
    )
)
def test_any_text_is_shown_as_it_is_in_a_table(text: str) -> None:
    table = table_as_markdown(("title",), [(f"a{text}a",)]).value
    assert table is not None
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(table)
    [cell] = re.findall(r"<td>(.*)</td>", page)
    assert html.unescape(cell) == printable(f"a{text}a")


def test_a_table_without_rows_says_so() -> None:
    assert table_as_markdown(("file",), []).value == "none"


def test_a_long_table_counts_the_rows_that_it_leaves_out() -> None:
    table = table_as_markdown(("number",), [(number,) for number in range(ROWS_SHOWN + 1_234)]).value

    assert table is not None
    assert f"| {ROWS_SHOWN - 1} |" in table
    assert f"| {ROWS_SHOWN} |" not in table
    assert table.endswith("… and 1,234 more")


def test_a_table_of_names_shows_the_change_of_each() -> None:
    assert names_as_markdown({"new": ["a"], "gone": ["b"]}).value == (
        "| name | change |\n| --- | --- |\n| a | new |\n| b | gone |"
    )


def test_recommendations_are_a_table_with_rank_title_artist_and_a_rounded_distance() -> None:
    row = RecommendedSoundtrack(
        TrackId("a"), 1, TrackId("b"), "Oce\x1ban", "Will", "", 1.0, "b.mp3", "", 0.123456, "fused", "1a"
    )
    untitled = replace(row, rank=2, title="")

    table = recommendations_as_table([row, untitled])

    assert [record.data for record in table.records] == [
        {"rank": 1, "title": "Oce\ufffdan", "artist": "Will", "distance": 0.123},
        {"rank": 2, "title": "b.mp3", "artist": "Will", "distance": 0.123},
    ]


@pytest.mark.parametrize(
    ("document", "row"),
    [
        ({"file_name": "a", "state": "received"}, "| a | received |  |  |"),
        ({"file_name": "a", "state": "ranked", "recognised": None}, "| a | answered |  |  |"),
        ({"file_name": "a", "state": "ranked", "recognised": {"title": "T"}}, "| a | answered | T |  |"),
        ({"file_name": "a", "state": "failed", "failure": {"code": "C", "reason": "R"}}, "| a | no answer |  | R |"),
    ],
)
def test_uploads_are_shown_in_every_state(document: dict[str, object], row: str) -> None:
    upload = UploadDocument.of(document | {"received": "2026-01-01T00:00:00+00:00"})
    assert str(uploads_as_markdown([upload]).value).splitlines()[-1] == row


def test_a_run_over_the_library_shows_figures_for_every_asset_and_passes_all_checks(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    run = run_library(ten_tracks, instance)

    version = ten_tracks.indexes.published_version()
    assert run.total("soundtrack_rankings", "dagster/row_count") == 10 * 9
    assert run.figure("prefilter_index", "dagster/row_count") == 10
    assert run.figure("raw_soundtracks", "dagster/row_count") == 10
    assert run.figure("soundtrack_recommendations", "dagster/row_count") == 10 * 5
    for asset in ("prefilter_index", "recommendation_quality", "published_index", "soundtrack_recommendations"):
        assert run.figure(asset, "index_version") == version
    for figure in ("recall", "hub_skewness", "largest_hub", "never_recommended"):
        measured = run.figure("recommendation_quality", figure)
        assert run.figure("published_index", figure) == pytest.approx(measured, abs=0.01)
    assert "analysed | 10" in run.figure("library_report", "states")
    for picture in ("distribution_of_the_coefficients", "map_of_the_library"):
        assert "data:image/png" in run.figure("library_report", picture)
    assert run.figure("library_report", "summary") == "The library has 10 soundtracks: 10 analysed."
    assert "Song " in run.figure("library_report", "hubs")
    assert run.figure("library_report", "usual_distance") > 0
    assert "data:image/png" in run.figure("recommendation_quality", "history_of_the_quality")
    assert "| 10 | 100.0% | 100.0% |" in run.figure("recommendation_quality", "same_format")
    assert "recommendations of the same bit rate" in run.figure("recommendation_quality", "same_bit_rate")
    passed = {
        (check.asset_key.to_user_string(), check.check_name): check.passed
        for check in run.result.get_asset_check_evaluations()
    }
    assert passed == dict.fromkeys(BLOCKING_CHECKS | OTHER_CHECKS, True)


def test_every_shard_shows_the_totals_of_all_shards_beside_its_own_figures(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    run = run_library(ten_tracks, instance)

    assert run.figure("raw_soundtracks", "summary") == (
        "All 16 shards: 10 files, 0 new, 0 changed, 0 gone, 10 unchanged, 0 renamed."
    )
    assert run.figure("raw_soundtracks", "soundtracks_in_library") == 10
    assert run.figure("soundtrack_cepstra", "total_unchanged") == run.total("soundtrack_cepstra", "unchanged") == 10
    assert run.figure("soundtrack_cepstra", "hours_of_audio_in_library") == pytest.approx(10 * 3 / 3600, abs=0.01)
    assert run.figure("soundtrack_rankings", "total_ranked") == 10 * 9
    assert run.figure("soundtrack_recommendations", "total_queries") == 10
    assert (
        run_library(ten_tracks, instance, shards=("0", "7"), job_name="features")
        .figure("raw_soundtracks", "summary")
        .startswith("8 of 16 shards: ")
    )


def test_a_run_that_nobody_continues_analyses_everything_and_logs_its_progress(
    settings: Settings, instance: dg.DagsterInstance, ten_songs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "SECONDS_BETWEEN_LOG_LINES", 0)
    with Library(settings.model_copy(update={"first_index_tracks": 1})) as library:
        for song in ten_songs[:3]:
            library.blobs.upload_file("soundtracks", song.name, song)
        run = run_library(library, instance)

        assert run.work.cepstra == 3
        logged = [entry.user_message for entry in instance.all_logs(run.result.run_id)]
        for line_of_stage in (
            r"Analysing audio: 3 of 3 files, \d.* a (second|minute), about 0 s left, song-",
            r"Computing track features: 2 of 3 files, \d.* a second, about 0 s left, song-",
            r"Reading features: 3 of 3 tracks, \d.* a second, about 0 s left$",
            r"Measuring usual distances: 3 of 3 tracks, \d.* a second, about 0 s left$",
            r"Finding candidates: 3 of 16 shards, \d.* a second, about \d+ s left, shard 3$",
            r"Ranking: 15 of 16 shards, \d.* a second, about \d+ s left, shard f$",
            r"Writing recommendations: 16 of 16 shards, \d.* a second, about 0 s left",
        ):
            assert any(re.match(line_of_stage, line) for line in logged), (line_of_stage, logged)
        last = read_progress(library.settings.progress_file)
        assert last is not None
        assert last.phase == "Writing recommendations"


def test_a_run_that_makes_progress_shows_it_in_the_list_of_runs_and_may_go_on_for_another_day(
    ten_tracks: Library, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "SECONDS_BETWEEN_TAGS", -1)
    begun = time.time()
    run = run_library(ten_tracks, instance)

    (record,) = instance.get_run_records(dg.RunsFilter(run_ids=[run.result.run_id]))
    tags = record.dagster_run.tags
    assert tags["mfcc/progress"].startswith("Writing recommendations: 16 of 16 shards")
    assert record.start_time is not None
    end = record.start_time + float(tags["dagster/max_runtime"])
    assert begun + 86_400 - 2 <= end <= time.time() + 86_400 + 2


def test_a_run_over_a_range_records_each_partition(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    run = run_library(ten_tracks, instance)

    recorded = _materialisations(run)
    partitioned = set(recorded) - {"prefilter_index", "recommendation_quality", "published_index", "library_report"}
    assert set(recorded) == {name for name in LINEAGE if "upload" not in name}
    assert {len(set(recorded[name])) for name in partitioned} == {SHARDS}


def test_a_run_for_several_uploads_records_each_upload(
    ten_tracks: Library, instance: dg.DagsterInstance, ten_songs
) -> None:
    uploads = [drop_upload(ten_tracks, song, song.name) for song in ten_songs[:2]]

    recorded = _materialisations(run_uploads(ten_tracks, instance, uploads))

    assert {name: set(keys) for name, keys in recorded.items()} == {
        name: set(uploads) for name in LINEAGE if "upload" in name
    }
    assert all(len(keys) == 2 for keys in recorded.values())


def test_an_answered_upload_shows_its_file_and_the_recommended_tracks(
    ten_tracks: Library, instance: dg.DagsterInstance, ten_songs
) -> None:
    upload = drop_upload(ten_tracks, ten_songs[0], "my song.flac")

    run = run_uploads(ten_tracks, instance, [upload])

    (shown,) = (
        event.materialization.metadata
        for event in run.result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("upload_recommendations")
    )
    stored = ten_tracks.recommendations.recommended(upload)
    assert shown["file"].value == "my song.flac"
    assert shown["recommendations"] == recommendations_as_table(stored)
    assert len(stored) == 5
    stored_run = instance.get_run_by_id(run.result.run_id)
    assert stored_run is not None
    assert stored_run.tags[FILES_TAG] == "my song.flac"


def test_a_backfill_leaves_answered_uploads_alone_and_answers_the_others(
    ten_tracks: Library, instance: dg.DagsterInstance, ten_songs
) -> None:
    old = drop_upload(ten_tracks, ten_songs[0], "old.flac")
    first = run_uploads(ten_tracks, instance, [old])
    new = drop_upload(ten_tracks, ten_songs[1], "new.flac")

    backfill = run_uploads(ten_tracks, instance, [old, new], tags={BACKFILL_TAG: "abc"})

    def answered_by(upload: UploadId) -> str:
        return UploadDocument.of(ten_tracks.documents.get(upload).body).run_id

    assert (answered_by(old), answered_by(new)) == (first.result.run_id, backfill.result.run_id)
    assert len(ten_tracks.recommendations.recommended(new)) == 5
    told = [entry.user_message for entry in instance.all_logs(backfill.result.run_id)]
    assert KEPT % (1, 2) in told


def _materialisations(run: Run) -> dict[str, list[str | None]]:
    """Return the partitions that a run recorded, by asset."""
    recorded: dict[str, list[str | None]] = {}
    for event in run.result.get_asset_materialization_events():
        assert event.asset_key is not None
        recorded.setdefault(event.asset_key.to_user_string(), []).append(event.partition)
    return recorded


def test_the_cepstra_are_shown_with_pictures_of_their_audio(
    library: Library, instance: dg.DagsterInstance, ten_songs: list[Path]
) -> None:
    library.blobs.upload_file("soundtracks", "song.flac", ten_songs[0])

    run = run_library(library, instance)

    for picture in ("heat_map_of_the_cepstra_1", "waveform", "spectrum", "spectrogram"):
        assert "data:image/png" in run.figure("soundtrack_cepstra", picture)


def test_a_starter_track_has_the_cepstra_of_the_published_method(
    library: Library, instance: dg.DagsterInstance
) -> None:
    track = STARTER_LIBRARY / "Will_Savino_Ocean.ogg"
    library.blobs.upload_file("soundtracks", track.name, track)

    check = _reference_check(run_library(library, instance))

    assert check.passed
    assert f"| {track.name} | 2997 | " in _shown(check, "tracks")
    assert _shown(check, "fastdtw_excess") == "none"
    assert "data:image/png" in _shown(check, "published_cepstra")


def test_the_excess_of_fastdtw_is_shown_for_a_pair(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    check = _reference_check(run_library(ten_tracks, instance))

    assert re.fullmatch(
        r"[0-9.]+ % for COE_[0-9]+ of song-[0-9].flac and song-[0-9].flac", _shown(check, "fastdtw_excess")
    )


def test_a_difference_from_the_published_method_is_a_warning(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    parameters = ten_tracks.feature_parameters.cepstra
    for audio_id in ten_tracks.catalogue.track_ids_by_audio():
        shift_stored_cepstra(ten_tracks, audio_id, parameters, by=0.01)

    run = run_library(ten_tracks, instance)

    check = _reference_check(run)
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert "| 297 | 1.0e-02 |" in _shown(check, "tracks")


def test_the_published_method_is_compared_after_the_recommendations(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    run = run_library(ten_tracks, instance)

    steps = [event.step_key for event in run.result.all_events if event.is_step_success]
    reference = steps.index("soundtrack_cepstra_features_match_reference")
    assert reference > steps.index("soundtrack_recommendations")


def _reference_check(run: Run) -> dg.AssetCheckEvaluation:
    (check,) = (
        check for check in run.result.get_asset_check_evaluations() if check.check_name == "features_match_reference"
    )
    return check


def _shown(check: dg.AssetCheckEvaluation, name: str) -> str:
    return str(check.metadata[name].value)
