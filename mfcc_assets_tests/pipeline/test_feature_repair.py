"""Damaged features are named and computed again: nothing is answered from other numbers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.library_health import examine_features
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets_tests.damage import cut, damage, flip, lists, names
from mfcc_assets_tests.former_cepstra import put_former_cepstra, write_former_cepstra
from mfcc_assets_tests.ranked_library import cepstra
from mfcc_assets_tests.runs import Work, run_library

FOLDERS = ("frames/", "timbre/", "summaries/")


def damage_without_a_trace(library: Library, damaged: list[str]) -> None:
    """Change a bit of each file as a failing disk does: the file looks as if nobody wrote it since the last check."""
    for name in damaged:
        damage(library, name, flip)
    parameters = library.feature_parameters
    now = datetime.now(UTC) + timedelta(seconds=1)
    library.features.set_last_check(replace(library.features.last_check(parameters), until=now), parameters)


@pytest.mark.parametrize("change", [flip, cut])
def test_the_next_run_names_damaged_features_and_computes_them_again(ten_tracks, instance, query, change):
    run_library(ten_tracks, instance)  # now all features are known to be intact
    former, answer = lists(ten_tracks), recommend_file(ten_tracks, query, count=5).recommendations
    damaged = [names(ten_tracks, f"{folder}/")[row] for row, folder in enumerate(("frames", "timbre", "summaries"))]
    intact = {name: ten_tracks.blobs.read(CEPSTRA, name) for name in damaged}
    for name in damaged:
        damage(ten_tracks, name, change)
    run = run_library(ten_tracks, instance)
    assert (run.work.cepstra, run.work.track_features, run.work.index_written) == (2, 1, False)
    notes = run.figure("soundtrack_cepstra", "notes")
    for name in damaged:
        assert f"cepstra/{name}: the stored features are damaged (those of " in notes
    assert notes.count("flac). This run computes them again.") == len(damaged)
    assert {name: ten_tracks.blobs.read(CEPSTRA, name) for name in damaged} == intact
    assert lists(ten_tracks) == former
    assert recommend_file(ten_tracks, query, count=5).recommendations == answer
    assert run_library(ten_tracks, instance).work == Work()


@pytest.mark.parametrize("exact", [False, True])
def test_an_answer_between_two_runs_computes_the_damaged_cepstra_that_it_reads_again(ten_tracks, query, caplog, exact):
    answer = recommend_file(ten_tracks, query, count=5, exact=exact)
    for name in names(ten_tracks, "frames/"):
        damage(ten_tracks, name, cut)
    with Library(ten_tracks.settings) as library:
        assert recommend_file(library, query, count=5, exact=exact).recommendations == answer.recommendations
        assert recommend_file(library, query, count=5, exact=exact).certified == exact
    assert "frames/" in caplog.text
    assert ".parquet: the stored features are damaged. They are computed again." in caplog.text


@pytest.mark.parametrize("exact", [False, True])
def test_an_answer_needs_no_stored_features_beside_the_index(ten_tracks, query, caplog, exact):
    answer = recommend_file(ten_tracks, query, count=5, exact=exact)
    for name in names(ten_tracks, "summaries/"):
        damage(ten_tracks, name, cut)
    with Library(ten_tracks.settings) as library:
        assert recommend_file(library, query, count=5, exact=exact).recommendations == answer.recommendations
    assert not caplog.text


def test_a_bit_that_changes_by_itself_in_every_file_is_named_and_repaired_by_the_next_run(ten_tracks, instance):
    run_library(ten_tracks, instance)
    former = lists(ten_tracks)
    stored = {name: ten_tracks.blobs.read(CEPSTRA, name) for folder in FOLDERS for name in names(ten_tracks, folder)}
    damage_without_a_trace(ten_tracks, list(stored))
    before = datetime.now(UTC)
    run = run_library(ten_tracks, instance)
    assert (run.work.cepstra, run.work.track_features) == (10, 10)
    assert {name: ten_tracks.blobs.read(CEPSTRA, name) for name in stored} == stored
    assert len(ten_tracks.repairs.since(before)) == len(stored)
    assert lists(ten_tracks) == former


def test_each_run_checks_the_next_of_many_unchanged_files(ten_tracks, instance, monkeypatch):
    monkeypatch.setattr("mfcc_assets.pipeline.feature_repair.CHECKED_IN_TURN", 8)
    run_library(ten_tracks, instance)
    damage_without_a_trace(ten_tracks, names(ten_tracks, "summaries/"))
    repaired = [run_library(ten_tracks, instance).work.track_features for _ in range(5)]
    assert sum(repaired) == 10
    assert 0 < max(repaired) <= 8


def test_a_run_takes_cepstra_of_an_older_version_over_and_computes_none(ten_tracks, instance):
    former = lists(ten_tracks)
    present = put_former_cepstra(ten_tracks)
    run = run_library(ten_tracks, instance)
    assert run.work == Work()
    assert run.figure("soundtrack_cepstra", "notes") == "none"
    assert {name: ten_tracks.blobs.read(CEPSTRA, name) for name in names(ten_tracks, "frames/")} == present
    assert lists(ten_tracks) == former
    assert outstanding_work(ten_tracks) == []


def test_a_library_with_cepstra_of_an_older_version_answers_before_the_next_run(ten_tracks, query, caplog):
    answer = recommend_file(ten_tracks, query, count=5, exact=True)
    put_former_cepstra(ten_tracks)
    with Library(ten_tracks.settings) as library:
        assert recommend_file(library, query, count=5, exact=True).recommendations == answer.recommendations
        assert examine_features(library).found == "40 files read"
        assert not examine_features(library).faults
    assert not caplog.text


def test_damaged_cepstra_of_an_older_version_are_named_and_computed_again(ten_tracks, instance):
    run_library(ten_tracks, instance)
    present = put_former_cepstra(ten_tracks)
    version = ten_tracks.feature_parameters.cepstra.version
    former = names(ten_tracks, f"frames/{version}/")
    damage_without_a_trace(ten_tracks, former[:2])
    old = write_former_cepstra(ten_tracks.blobs, AudioId("old"), cepstra(0), "0dd")
    damage(ten_tracks, old, cut)
    run = run_library(ten_tracks, instance)
    assert run.work.cepstra == 2
    notes = run.figure("soundtrack_cepstra", "notes")
    for name in former[:2]:
        assert f"cepstra/{name}: the stored features are damaged (those of " in notes
    assert notes.count("This run computes them again.") == 2
    assert f"cepstra/{old}: the stored features are damaged. They are deleted, as" in notes
    assert {name: ten_tracks.blobs.read(CEPSTRA, name) for name in names(ten_tracks, "frames/")} == present
