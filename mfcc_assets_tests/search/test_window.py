"""Windows of tracks. The slow twin compares each pair of points by itself."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mfcc_assets.search.window import Windows

WIDTH = 5


@st.composite
def windows(draw: st.DrawFn) -> Windows:
    """Windows of points on a coarse grid, so that many distances are equal. Some are larger than a tile of points."""
    count = draw(st.sampled_from([1, 2, 30, 3_000]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    points = rng.integers(-2, 3, (count, WIDTH)).astype(np.float32)
    sample = points[rng.choice(count, min(count, 20), replace=False)]
    return Windows(points, sample, draw(st.sampled_from([0.01, 0.3, 1.0])))


def slow_twin(windows: Windows, query: int, tracks: np.ndarray) -> list[int]:
    radius = windows.squared_radii[query]
    return [
        track
        for track in tracks.tolist()
        if track != query and np.square(windows.points[track] - windows.points[query]).sum() <= radius
    ]


@given(windows(), st.data())
@settings(max_examples=40, deadline=None)
def test_the_windows_of_many_queries_equal_those_of_the_slow_twin(windows: Windows, data: st.DataObject) -> None:
    every = np.arange(len(windows))
    tracks = every[:: data.draw(st.integers(1, 3))]
    queries = np.array(data.draw(st.lists(st.integers(0, len(windows) - 1), max_size=4)), np.int64)
    search = windows.among(tracks)
    found = search.tracks_of_each(queries)
    assert [each.tolist() for each in found] == [slow_twin(windows, query, tracks) for query in queries.tolist()]
    assert [each.tolist() for each in found] == [search.tracks_of(query).tolist() for query in queries.tolist()]


@given(windows())
@settings(max_examples=20, deadline=None)
def test_a_track_is_found_in_the_windows_that_find_it(windows: Windows) -> None:
    every, track = np.arange(len(windows)), len(windows) // 2
    search = windows.among(every)
    finding = [query for query in every.tolist()[:200] if track in search.tracks_of(query)]
    assert finding == [query for query in search.queries_of(track).tolist() if query < 200]


def test_a_window_of_the_whole_library_holds_every_other_track() -> None:
    points = np.random.default_rng(0).normal(size=(9, WIDTH)).astype(np.float32)
    whole = Windows(points, points, 1.0).among(np.arange(9))
    assert [each.tolist() for each in whole.tracks_of_each(np.array([4]))] == [[0, 1, 2, 3, 5, 6, 7, 8]]


def made_up(tracks: int, seed: int, share: float = 0.3) -> tuple[Windows, np.ndarray]:
    points = np.random.default_rng(seed).standard_normal((tracks, 4)).astype(np.float32)
    return Windows(points, points[:: max(1, tracks // 20)], share), points


@given(st.integers(25, 60), st.integers(0, 100))
def test_both_directions_agree_also_if_other_tracks_are_missing(tracks: int, seed: int) -> None:
    windows, points = made_up(tracks, seed)
    every, some = np.arange(tracks), np.arange(0, tracks, 3)
    of_query = {query: set(windows.among(every).tracks_of(query).tolist()) for query in every.tolist()}
    for track in some.tolist():
        queries = windows.among(some).queries_of(track).tolist()
        assert queries == [query for query in some.tolist() if track in of_query[query]]
    fewer = Windows(points[some], points[:: max(1, tracks // 20)], 0.3)
    for place, query in enumerate(some.tolist()):
        found = fewer.among(np.arange(len(some))).tracks_of(place)
        assert set(some[found].tolist()) == of_query[query] & set(some.tolist())


def test_a_window_holds_about_the_wanted_share() -> None:
    windows, _ = made_up(4_000, 0, share=0.3)
    search = windows.among(np.arange(4_000))
    sizes = [len(search.tracks_of(query)) for query in range(0, 4_000, 40)]
    assert 0.2 < np.mean(sizes) / 4_000 < 0.5
