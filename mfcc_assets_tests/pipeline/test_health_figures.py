"""Tests of the figures of the health of a library."""

from mfcc_assets.library import Library
from mfcc_assets.pipeline.health_figures import health_figures


def test_long_lists_are_cut_and_counted(ten_tracks: Library) -> None:
    figures = health_figures(ten_tracks, ten_tracks.indexes.published())

    assert figures.count == 10
    assert figures.seconds > 0
    assert sum(figures.states.values()) == 10
    assert len(figures.hubs) + figures.orphan_count == 10
    counts = [count for _, count in figures.hubs]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == 50, "ten lists of five"
    assert figures.quality


def test_a_library_without_an_index_has_no_hubs(library: Library) -> None:
    figures = health_figures(library, None)

    assert (figures.count, list(figures.hubs), list(figures.orphans), list(figures.quality)) == (0, [], [], [])
