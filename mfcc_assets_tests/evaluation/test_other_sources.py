"""Precision without answers that share a source with the query."""

import pytest

from mfcc_assets.audio.file_properties import FileProperties
from mfcc_assets.evaluation.manifest import LabelledTrack
from mfcc_assets.evaluation.other_sources import DRAWS, Part, score_other_sources

OGG = FileProperties("vorbis", 44_100, 2, 100_000)
MP3 = FileProperties("mp3", 44_100, 2, 100_000)


def track(path: str, source: str, album: str, artist: str = "Bach") -> LabelledTrack:
    return LabelledTrack(path, artist, source, album=album)


TRACKS = [
    track("a", "one", "Suites"),
    track("b", "one", "Suites"),
    track("c", "one", "Fugues"),
    track("d", "two", "Fugues"),
    track("e", "two", "Arias"),
    *(track(f"x{number}", "three", "Bebop", artist="Bird") for number in range(3)),
]
PATHS = [found.path for found in TRACKS]


def ranked(*first: str) -> dict[str, list[str]]:
    """Lists that begin with the same tracks, followed by all others."""
    order = [*first, *(path for path in PATHS if path not in first)]
    return {query: [path for path in order if path != query] for query in PATHS}


def test_answers_of_the_own_album_and_of_the_own_package_do_not_count() -> None:
    found = score_other_sources(ranked("b", "c", "x0", "x1", "x2"), TRACKS, dict.fromkeys(PATHS, OGG))

    assert (found.other_albums.queries, found.other_albums.labels) == (5, 1)
    # a and b find c, c finds b, d finds b, and e finds b and c.
    assert found.other_albums.p_at_5 == pytest.approx((2 + 2 + 2 + 2 + 2) / 25)
    assert found.other_packages.queries == 5
    # a, b and c have d and e in the other package, behind the three of the other artist. d and e find a, b and c.
    assert found.other_packages.p_at_5 == pytest.approx((2 + 2 + 2 + 2 + 2) / 25)


def test_without_files_like_the_own_fewer_right_answers_remain_and_as_many_are_thinned() -> None:
    properties = {path: MP3 if path in {"c", "d"} else OGG for path in PATHS}

    found = score_other_sources(ranked("a", "b", "c", "d", "e"), TRACKS, properties)

    # a, b and e find c and d. c and d find a, b and e.
    assert found.unlike_files.queries == 5
    assert found.unlike_files.p_at_5 == pytest.approx((2 + 2 + 2 + 3 + 3) / 25)
    # All right answers come first, so that their number alone counts, which is the same.
    assert (found.thinned.queries, found.thinned.labels) == (5 * DRAWS, 1)
    assert found.thinned.p_at_5 == pytest.approx(found.unlike_files.p_at_5)


def test_if_all_files_are_alike_no_query_remains() -> None:
    found = score_other_sources(ranked("a"), TRACKS, dict.fromkeys(PATHS, OGG))
    assert found.unlike_files == found.thinned == Part(0, 0, None, None, None)


def test_a_ranking_by_files_alone_falls_to_chance_without_files_like_the_query() -> None:
    tracks = [track(f"{number}", f"package {number % 5}", "", artist=f"Artist {number % 5}") for number in range(50)]
    tracks += [track(f"{number} elsewhere", "others", "", artist=f"Artist {number % 5}") for number in range(50)]
    packages = [found.source for found in tracks]
    properties = {
        found.path: FileProperties("mp3", 44_100, 2, 32_000 * 2 ** packages.index(found.source)) for found in tracks
    }
    by_file = {
        query.path: sorted(
            (other.path for other in tracks if other is not query),
            key=lambda path: properties[path] != properties[query.path],
        )
        for query in tracks
    }

    found = score_other_sources(by_file, tracks, properties)

    assert found.thinned.p_at_5 is not None
    assert found.unlike_files.p_at_5 is not None
    assert found.unlike_files.p_at_5 < found.thinned.p_at_5
