"""`mfcc index` as its user has it."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from mfcc_assets.cli.main import main
from mfcc_assets.ids import shard_of, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.storage.sql.records import Recommendation
from mfcc_assets.texts import counted
from mfcc_assets_tests.audio_samples import retag, write_music
from mfcc_assets_tests.ranked_library import add_tracks, publish, remove_track
from mfcc_assets_tests.runs import Work, run_library


def mfcc(library: Library, *arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments], env={"MFCC_HOME": str(library.settings.home)})


def told(library: Library, *arguments: str | Path) -> Any:
    result = mfcc(library, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def states(library: Library) -> dict[str, str]:
    return {version["version"]: version["state"] for version in told(library, "index", "list")}


@pytest.fixture
def two_versions(library: Library) -> tuple[str, str]:
    """Two versions that were published one after the other: 7 came, 6 went."""
    add_tracks(library, *range(1, 7))
    first = publish(library)[0].version
    add_tracks(library, 7)
    remove_track(library, 6)
    return first, publish(library)[0].version


def test_a_library_is_changed_compared_rolled_back_and_brought_forward_again(
    ten_tracks: Library, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    first = str(ten_tracks.indexes.published_version())
    query = write_music(tmp_path / "query.flac", 3.0, seed=99)
    answers = told(ten_tracks, "recommend", query)
    new = write_music(tmp_path / "new.flac", 3.0, seed=100)
    retag(new, title="The new one")
    ten_tracks.blobs.upload_file("soundtracks", new.name, new)
    run = run_library(ten_tracks, instance)
    second = run.figure("published_index", "index_version")
    assert (run.figure("published_index", "former_version"), first != second) == (first, True)

    difference = told(ten_tracks, "index", "diff", first[:8], second[:8])
    assert (difference["first"], difference["second"], difference["compared"]) == (first, second, 10)
    assert [track["title"] for track in difference["only_in_second"]] == ["The new one"]
    for change in difference["changes"]:
        assert len(change["came"]) == len(change["left"])
        assert all(track["title"].startswith("Song ") for track in change["left"])
    came = [track["title"] for change in difference["changes"] for track in change["came"]]
    assert "The new one" in came

    rolled_back = mfcc(ten_tracks, "index", "rollback")
    assert rolled_back.output.startswith(f"Index {first} answers. {second} is withdrawn;")
    # The old version answers as it did. Only the library that it searches has grown.
    assert told(ten_tracks, "recommend", query) == {**answers, "library_tracks": 11}
    assert {
        row.index_version
        for track in ten_tracks.catalogue.soundtracks()
        for row in ten_tracks.recommendations.recommended(track.track_id)
    } == {first}
    assert outstanding_work(ten_tracks) == []

    run = run_library(ten_tracks, instance)
    assert run.work == Work(added=1)
    assert run.figure("published_index", "index_version") == first
    assert run.figure("published_index", "withheld").startswith(
        f"{second} was withdrawn: `mfcc index publish {second}`"
    )
    assert states(ten_tracks) == {second: "withdrawn", first: "answers"}
    assert outstanding_work(ten_tracks) == []

    assert (
        mfcc(ten_tracks, "index", "publish", second[:8]).output
        == f"Index {second} answers now. Before, it was {first}.\n"
    )
    assert states(ten_tracks) == {second: "answers", first: "answered"}
    assert outstanding_work(ten_tracks) == []
    assert run_library(ten_tracks, instance).work == Work()


def test_a_rollback_whose_rows_a_kill_left_behind_is_outstanding_work(
    ten_tracks: Library, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    ten_tracks.blobs.upload_file("soundtracks", "new.flac", write_music(tmp_path / "new.flac", 3.0, seed=100))
    run_library(ten_tracks, instance)
    recommendations, second = ten_tracks.recommendations, str(ten_tracks.indexes.published_version())
    mfcc(ten_tracks, "index", "rollback")
    track, other = (track_id(f"song-{number}.flac") for number in range(2))
    rows = recommendations.recommended(track)
    left_behind = {track: [Recommendation(1, other, 0.5)]}
    shard = shard_of(track, ten_tracks.settings.shard_digits)
    made = {"method": "dtw", "index_version": second, "run_id": "killed"}
    recommendations.update_recommendations(left_behind, complete=[shard], **made)

    first = ten_tracks.indexes.published_version()
    lacking = len(ten_tracks.catalogue.soundtracks([shard]))
    assert outstanding_work(ten_tracks) == [f"{counted(lacking, 'soundtrack')} lacks recommendations of index {first}"]
    run_library(ten_tracks, instance)
    assert recommendations.recommended(track) == rows
    assert outstanding_work(ten_tracks) == []


def test_the_versions_are_listed_with_their_figures(library: Library, two_versions: tuple[str, str]) -> None:
    library.indexes.write_quality(two_versions[1], {"at_5": 0.5, "skewness": 0.25, "never_recommended": 0.03})

    listed = told(library, "index", "list")
    assert [version["version"] for version in listed] == list(reversed(two_versions))
    assert listed[0] | {"built_at": "", "published_at": [], "features_version": ""} == {
        "version": two_versions[1],
        "state": "answers",
        "built_at": "",
        "published_at": [],
        "published": True,
        "withdrawn": False,
        "tracks": 6,
        "ranking": library.settings.ranking,
        "features_version": "",
        "quality": {"at_5": 0.5, "skewness": 0.25, "never_recommended": 0.03},
        "damage": "",
    }
    table = mfcc(library, "index", "list").output
    assert "│ answers " in table
    assert "│ 0.500 │ 0.25         │ 3.0%" in table


def test_what_came_and_what_left_is_named(library: Library, two_versions: tuple[str, str]) -> None:
    difference = told(library, "index", "diff", *two_versions, "--top", "1")
    shown = mfcc(library, "index", "diff", *two_versions).output

    assert len(difference["changes"]) == 1
    assert difference["changed"] + difference["reordered"] + difference["unchanged"] == difference["compared"] == 5
    gone = {"track_id": track_id("6.flac"), "title": None, "artist": None}
    assert difference["only_in_first"] == [gone], "a track that is gone has no name any more"
    assert f"Tracks only in {two_versions[0]} (1): {track_id('6.flac')} (no longer in the library)\n" in shown
    assert shown.startswith("5 tracks are in both versions. Of their lists of five,")
    assert f"{difference['changed']} contain other tracks" in shown


def test_a_version_that_is_unknown_or_unfit_is_told_in_a_sentence(
    library: Library, two_versions: tuple[str, str]
) -> None:
    unknown = mfcc(library, "index", "diff", two_versions[0], "nothing")
    unfit = mfcc(library, "index", "publish", two_versions[0])

    assert (
        unknown.output == "Error: index “nothing”: no version begins with it. `mfcc index list` shows all versions.\n"
    )
    assert unfit.output.startswith(f"Error: index {two_versions[0]}: 1 ranked tracks are not in the library.")
    assert (unknown.exit_code, unfit.exit_code) == (1, 1)
    assert library.indexes.published_version() == two_versions[1]


def test_old_versions_are_deleted(library: Library, two_versions: tuple[str, str]) -> None:
    add_tracks(library, 8)
    third = publish(library)[0].version

    assert mfcc(library, "index", "prune").output == "0 versions deleted.\n"
    assert mfcc(library, "index", "prune", "--keep", "1").output == f"1 versions deleted: {two_versions[0]}.\n"
    assert set(states(library)) == {two_versions[1], third}


def test_a_library_without_an_index_says_so(library: Library) -> None:
    assert told(library, "index", "list") == []
    assert mfcc(library, "index", "list").output == "no index was built yet\n"
    assert mfcc(library, "index", "rollback").output.startswith("Error: no version is published yet.")
