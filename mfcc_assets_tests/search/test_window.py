"""The windows of tracks: those around a point within a radius that the calibration fixes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcc_assets.search.window import Windows, WindowSearch


def tracks_of(search: WindowSearch, query: int) -> np.ndarray:
    (found,) = search.tracks_of_each(np.array([query]))
    return found


def made_up(tracks: int, seed: int, share: float = 0.3) -> tuple[Windows, np.ndarray]:
    points = np.random.default_rng(seed).standard_normal((tracks, 4)).astype(np.float32)
    return Windows(points, points[:: max(1, tracks // 20)], share), points


@given(st.integers(25, 60), st.integers(0, 100))
def test_a_window_holds_the_tracks_within_its_radius(tracks: int, seed: int) -> None:
    windows, points = made_up(tracks, seed)
    every = np.arange(tracks)
    search = windows.among(every)
    apart = np.square(points[:, np.newaxis].astype(np.float64) - points).sum(axis=2)
    for query in every.tolist():
        clearly_in = set(np.flatnonzero(apart[query] < windows.squared_radii[query] * (1 - 1e-5)).tolist())
        may_be_in = set(np.flatnonzero(apart[query] <= windows.squared_radii[query] * (1 + 1e-5)).tolist())
        found = set(tracks_of(search, query).tolist())
        assert clearly_in - {query} <= found <= may_be_in - {query}


@given(st.integers(25, 60), st.integers(0, 100))
def test_both_directions_agree_also_if_other_tracks_are_missing(tracks: int, seed: int) -> None:
    windows, points = made_up(tracks, seed)
    every, some = np.arange(tracks), np.arange(0, tracks, 3)
    of_query = {query: set(tracks_of(windows.among(every), query).tolist()) for query in every.tolist()}
    for track in some.tolist():
        queries = windows.among(some).queries_of(track).tolist()
        assert queries == [query for query in some.tolist() if track in of_query[query]]
    fewer = Windows(points[some], points[:: max(1, tracks // 20)], 0.3)
    for place, query in enumerate(some.tolist()):
        found = tracks_of(fewer.among(np.arange(len(some))), place)
        assert set(some[found].tolist()) == of_query[query] & set(some.tolist())


def test_a_window_holds_about_the_wanted_share() -> None:
    windows, _ = made_up(4_000, 0, share=0.3)
    search = windows.among(np.arange(4_000))
    sizes = [len(tracks_of(search, query)) for query in range(0, 4_000, 40)]
    assert 0.2 < np.mean(sizes) / 4_000 < 0.5


def test_a_share_of_the_whole_library_holds_all() -> None:
    windows, _ = made_up(30, 1, share=1.0)
    assert tracks_of(windows.among(np.arange(30)), 3).tolist() == [row for row in range(30) if row != 3]
    assert windows.among(np.arange(30)).queries_of(3).tolist() == [row for row in range(30) if row != 3]


@given(st.sampled_from([1, 2, 30, 3_000]), st.integers(0, 100), st.sampled_from([0.05, 0.3, 1.0]))
@settings(max_examples=30, deadline=None)
def test_the_windows_of_many_queries_are_those_of_each(tracks: int, seed: int, share: float) -> None:
    # On a coarse grid, many distances are exactly the radius.
    points = np.random.default_rng(seed).integers(-2, 3, (tracks, 5)).astype(np.float32)
    search = Windows(points, points[:: max(1, tracks // 20)], share).among(np.arange(0, tracks, 2))
    queries = np.random.default_rng(seed).integers(0, tracks, seed % 4)
    found = [each.tolist() for each in search.tracks_of_each(queries)]
    assert found == [tracks_of(search, query).tolist() for query in queries.tolist()]
