"""The metadata that assets show in the Dagster UI, and the results of their checks."""

import base64
import html
import re
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
    pictures_as_markdown,
    table_as_markdown,
    uploads_as_markdown,
)
from mfcc_assets.library import Library
from mfcc_assets.pipeline.progress import read_progress
from mfcc_assets.pipeline.upload_document import UploadDocument
from mfcc_assets.settings import Settings
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


def test_pictures_are_embedded_in_the_page() -> None:
    assert pictures_as_markdown([b"PNG"]).value == f"![](data:image/png;base64,{base64.b64encode(b'PNG').decode()})"
    assert pictures_as_markdown([]).value == "none"


@pytest.mark.parametrize(
    ("document", "row"),
    [
        ({"file_name": "a", "state": "received"}, "| a | received |  |  |"),
        ({"file_name": "a", "state": "ranked", "recognised": None}, "| a | ranked |  |  |"),
        ({"file_name": "a", "state": "ranked", "recognised": {"title": "T"}}, "| a | ranked | T |  |"),
        ({"file_name": "a", "state": "failed", "failure": {"code": "C", "reason": "R"}}, "| a | failed |  | R |"),
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
    for asset in ("prefilter_index", "recommendation_quality", "published_index", "soundtrack_recommendations"):
        assert run.figure(asset, "index_version") == version
    assert "analysed | 10" in run.figure("library_report", "states")
    for picture in ("coefficients", "map"):
        assert "data:image/png" in run.figure("library_report", picture)
    assert "Song " in run.figure("library_report", "hubs")
    assert run.figure("library_report", "usual_distance") > 0
    assert "data:image/png" in run.figure("recommendation_quality", "history")
    assert "| 10 | 100.0% | 100.0% |" in run.figure("recommendation_quality", "same_format")
    assert "recommendations of the same bit rate" in run.figure("recommendation_quality", "same_bit_rate")
    passed = {
        (check.asset_key.to_user_string(), check.check_name): check.passed
        for check in run.result.get_asset_check_evaluations()
    }
    assert passed == dict.fromkeys(BLOCKING_CHECKS | OTHER_CHECKS, True)


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
        assert any(
            re.match(r"Analysing audio: 3 of 3 files, \d.* a second, about 0 s left, song-", line) for line in logged
        )
        last = read_progress(library.settings.progress_file)
        assert last is not None
        assert last.phase == "Writing recommendations"


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

    for picture in ("heat_maps", "waveform", "spectrum", "spectrogram"):
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
