"""Tests of the points and tracks of a map."""

import gzip
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.map_points import map_points
from mfcc_assets.pipeline.opened_index import PublishedIndex
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.web.map.drawn_map import NAMES_AT_ONCE, DrawnMap, KeptMap, draw_map, near_order

POINTS = arrays(np.uint16, st.tuples(st.integers(0, 30), st.just(2)))


@given(POINTS)
def test_the_order_takes_the_bits_of_both_coordinates_in_turn(points: np.ndarray) -> None:
    expected = [
        int("".join(f"{y_bit}{x_bit}" for x_bit, y_bit in zip(f"{x:016b}", f"{y:016b}", strict=True)), 2)
        for x, y in points.tolist()
    ]

    assert near_order(points).tolist() == expected


def test_each_track_lies_at_its_point(ten_tracks: Library) -> None:
    index = ten_tracks.indexes.published()
    drawn = draw_map(ten_tracks, index)

    points = map_points(ten_tracks, index).points
    for track, point in zip(drawn.tracks, drawn.points, strict=True):
        assert track.audio_id is not None
        assert point.tolist() == points[index.tracks.rows([track.audio_id])[0]].tolist()
    assert len(drawn.tracks) == 10
    assert [drawn.rows[track.track_id] for track in drawn.tracks] == list(range(10))


def test_a_track_that_has_left_the_library_is_not_on_the_map(ten_tracks: Library) -> None:
    gone = ten_tracks.catalogue.soundtracks()[3].track_id
    ten_tracks.catalogue.record_observed([], [gone], shard_digits=1, run_id="r")

    drawn = draw_map(ten_tracks, ten_tracks.indexes.published())

    assert gone not in drawn.rows
    assert drawn.points.shape == (9, 2)


def test_the_map_is_kept_until_tags_may_have_changed(ten_tracks: Library) -> None:
    published = PublishedIndex(ten_tracks)
    kept, renewed = KeptMap(ten_tracks, published), KeptMap(ten_tracks, published, kept_seconds=0)

    assert kept.current() is kept.current()
    first = renewed.current()
    assert renewed.current() is not first
    assert renewed.current().version == first.version


def test_the_version_changes_with_every_name_that_is_shown() -> None:
    points = np.zeros((1, 2), np.uint16)
    names = [("a.mp3", ""), ("b.mp3", ""), ("b.mp3", "Ocean"), ("b.mp3", "Ocean \ud83d")]
    versions = {
        DrawnMap(points, [Soundtrack(TrackId("0f"), *each, None, None, None, "")]).version
        for each in ((name, 1, "", title, "", "", "", "") for name, title in names)
    }
    assert len(versions) == len(names)


def test_the_data_of_ten_thousand_tracks_is_small() -> None:
    drawn = _map_of(10_000)

    groups = json.dumps({kind: vars(found) for kind, found in drawn.groups.items()}).encode()
    names = [json.dumps(drawn.names(chunk)).encode() for chunk in range(10_000 // NAMES_AT_ONCE)]

    assert len(gzip.compress(drawn.points_as_bytes)) + len(gzip.compress(groups)) < 75_000
    assert max(len(gzip.compress(chunk)) for chunk in names) < 12_000


def test_a_hundred_thousand_points_take_at_most_400_kb() -> None:
    assert len(_map_of(100_000).points_as_bytes) <= 400_000


def _map_of(count: int) -> DrawnMap:
    random = np.random.default_rng(0)
    tracks = [
        Soundtrack(
            TrackId(random.bytes(8).hex()),
            f"{row}.mp3",
            1,
            "",
            f"Title {random.integers(1 << 40)}",
            f"Artist {random.integers(400)}",
            "",
            f"Genre {random.integers(15)}",
            "",
            None,
            None,
            None,
            "",
            year=int(random.integers(1950, 2026)),
        )
        for row in range(count)
    ]
    return DrawnMap(random.integers(0, 1 << 16, (count, 2), dtype=np.uint16), tracks)
