"""Reports and pictures for the owner of a library."""

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from mfcc_assets.audio.tags import Tags
from mfcc_assets.library import Library
from mfcc_assets.pipeline import library_report
from mfcc_assets.pipeline.library_report import picture_of_coefficients, picture_of_map, popularity
from mfcc_assets.pipeline.list_order import stored_lists
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.sql.records import Observed
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, publish, remove_track


@pytest.fixture
def index(library: Library) -> LibraryIndex:
    """The published index of a library with twelve tracks."""
    add_tracks(library, *range(12))
    return publish(library)[0]


def retag(library: Library, number: int, artist: str) -> None:
    file = Observed(f"{number}.flac", "etag", 1, f"{number:032x}", Tags(title=f"Song {number}", artist=artist), "")
    library.catalogue.record_observed([file], [], shard_digits=1, run_id="run")


def test_hubs_and_orphans_are_counted_in_the_first_five_of_every_list(library: Library, index: LibraryIndex) -> None:
    retag(library, 3, "Ada")
    names = {audio_id(number): f"{number}.flac" for number in range(12)} | {audio_id(3): "Song 3 by Ada"}
    counts = Counter(
        names[audio] for ranked in dict(stored_lists(library, index.version)).values() for audio, _ in ranked[:5]
    )

    popular = popularity(library, index, library.catalogue.soundtracks())

    assert popular.hubs == sorted(counts.items(), key=lambda hub: (-hub[1], hub[0]))[:10]
    assert popular.orphans == sorted(set(names.values()) - set(counts))


def test_a_removed_track_is_neither_a_hub_nor_an_orphan(library: Library, index: LibraryIndex) -> None:
    remove_track(library, 4)
    popular = popularity(library, index, library.catalogue.soundtracks())
    assert "4.flac" not in [name for name, _ in popular.hubs] + popular.orphans


def test_pictures_of_an_index_are_drawn_once(
    library: Library, index: LibraryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundtracks = library.catalogue.soundtracks()
    drawn = picture_of_coefficients(library, index), picture_of_map(library, index, soundtracks)
    assert all(picture.startswith(b"\x89PNG") for picture in drawn)

    for name in ("coefficient_distributions", "library_map", "map_points"):
        monkeypatch.delattr(library_report, name)
    assert (picture_of_coefficients(library, index), picture_of_map(library, index, soundtracks)) == drawn


def test_the_map_is_drawn_again_after_a_change_of_tags(library: Library, index: LibraryIndex) -> None:
    before = picture_of_map(library, index, library.catalogue.soundtracks())
    for number in range(12):
        retag(library, number, f"artist {number % 3}")
    assert picture_of_map(library, index, library.catalogue.soundtracks()) != before


def test_the_map_of_a_large_library_shows_a_sample(
    library: Library, index: LibraryIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[int] = []

    def library_map(points: NDArray[np.floating], *_: object) -> bytes:
        shown.append(len(points))
        return b"a picture"

    monkeypatch.setattr(library_report, "library_map", library_map)
    assert picture_of_map(library, index, library.catalogue.soundtracks(), most_tracks=5) == b"a picture"
    assert shown == [5]
