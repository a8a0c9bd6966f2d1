"""Damaged features are named and computed again: nothing is answered from other numbers."""

import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import recommend_file
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets_tests.damage import cut, damage, flip, lists, names
from mfcc_assets_tests.runs import Work, run_library


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
    assert all(f"{name}: the stored features are damaged. This run computes them again." in notes for name in damaged)
    assert {name: ten_tracks.blobs.read(CEPSTRA, name) for name in damaged} == intact
    assert lists(ten_tracks) == former
    assert recommend_file(ten_tracks, query, count=5).recommendations == answer
    assert run_library(ten_tracks, instance).work == Work()


@pytest.mark.parametrize("exact", [False, True])
def test_an_answer_between_two_runs_computes_damaged_features_again(ten_tracks, query, caplog, exact):
    answer = recommend_file(ten_tracks, query, count=5, exact=exact)
    damaged = names(ten_tracks, "summaries/")
    for name in (*damaged, names(ten_tracks, "frames/")[0]):
        damage(ten_tracks, name, cut)
    with Library(ten_tracks.settings) as library:
        assert recommend_file(library, query, count=5, exact=exact).recommendations == answer.recommendations
        assert recommend_file(library, query, count=5, exact=exact).certified == exact
    for name in damaged[1:]:  # the first were computed again together with the cepstra
        assert f"{name}: the stored features are damaged. They are computed again." in caplog.text
