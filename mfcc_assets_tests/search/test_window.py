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
