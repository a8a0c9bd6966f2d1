"""Lists that are taken over from the published index equal lists that are computed from nothing."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfcc_assets.library import Library
from mfcc_assets.search import pruning, window
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.rankings import RANKINGS
from mfcc_assets.storage.ranking_store import STAGES
from mfcc_assets_tests.ranked_library import (
    add_track,
    add_tracks,
    cepstra,
    index_and_rank,
    publish,
    rank_from_scratch,
    remove_track,
    stored_pairs,
)

TRACKS = 16
OTHERS = range(TRACKS, TRACKS + 12)
COPIES = range(100, 100 + TRACKS)

CHANGES = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(OTHERS)),
    st.tuples(st.just("copy"), st.sampled_from(COPIES)),
    st.tuples(st.just("remove"), st.sampled_from([*range(TRACKS), *OTHERS, *COPIES])),
)


@pytest.fixture(scope="module", autouse=True)
def as_in_a_large_library() -> Iterator[None]:
    """Let a few tracks have windows and limits that leave tracks out, and keep their calibration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mfcc_assets.pipeline.index.SMALL_LIBRARY", 0)
        patch.setattr(window, "candidates_to_fetch", lambda tracks, _: tracks // 2)
        patch.setattr("mfcc_assets.pipeline.index.REORDERED", 3)
        patch.setattr("mfcc_assets.pipeline.index.EVALUATED_COUNT", 2)
        patch.setattr(pruning, "_MOST_COMPARED", 5)
        yield


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ranking=st.sampled_from(sorted(RANKINGS)),
    runs=st.lists(st.lists(CHANGES, min_size=1, max_size=3), min_size=1, max_size=3),
)
def test_lists_of_a_library_that_changed_equal_lists_from_nothing(ranking, runs) -> None:
    with (
        tempfile.TemporaryDirectory() as home,
        Library(Settings(home=Path(home), ranking=ranking, recommendations=2)) as library,
    ):
        add_tracks(library, *range(TRACKS))
        publish(library)
        for changes in runs:
            for kind, number in changes:
                change(library, kind, number)
            index, _ = index_and_rank(library)
            library.indexes.publish(index.version)
        grown = [stored_pairs(library, index, stage) for stage in STAGES]

        rank_from_scratch(library, index)

        assert grown == [stored_pairs(library, index, stage) for stage in STAGES]


def change(library: Library, kind: str, number: int) -> None:
    if kind == "add":
        add_tracks(library, number)
    elif kind == "copy":
        sound = cepstra(number - COPIES.start)
        noise = 0.1 * np.random.default_rng(number).standard_normal(sound.shape)
        add_track(library, number, (sound + noise).astype(np.float32))
    else:
        remove_track(library, number)
