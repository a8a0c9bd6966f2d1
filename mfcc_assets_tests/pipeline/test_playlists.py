"""Paths and playlists from a library of made-up sounds, and playlist files."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from mfcc_assets.errors import FeaturesMissing, PlaylistImpossible, StoreError, UnknownPlaylistFormat
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import distances_to
from mfcc_assets.pipeline.find_track import find_track
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.playlists import export_playlist, path_between, playlist_from
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets_tests.pipeline.encodings import encoded_again
from mfcc_assets_tests.playlist_files import read_m3u8, recordings_for_listenbrainz
from mfcc_assets_tests.ranked_library import add_track, add_tracks, audio_id, cepstra, publish
from mfcc_assets_tests.runs import copied_home

LINE = 12


def on_a_line(number: float):
    """Return 30 s of cepstra around a point on a line; each number makes another recording."""
    rng = np.random.default_rng(round(10 * number))
    point = np.linspace(-4, 4, 13) * (number - LINE / 2)
    steps = point + 2 * rng.standard_normal((60, 13))
    return np.repeat(steps, 50, axis=0).astype(np.float32)


@pytest.fixture(scope="module")
def home_of_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of a library with tracks 0 to 11 on a line, two by each artist."""
    home = tmp_path_factory.mktemp("line") / "home"
    with Library(Settings(home=home)) as library:
        for number in range(LINE):
            add_track(library, number, on_a_line(number), artist=f"Artist {number // 2}", title=f"Song {number}.")
        publish(library)
    return home


@pytest.fixture
def line(home_of_line: Path) -> Iterator[Library]:
    """A library with tracks on a line, which tests must not change."""
    with Library(Settings(home=home_of_line)) as library:
        yield library


@pytest.fixture
def growing_line(home_of_line: Path, settings: Settings) -> Iterator[Library]:
    """A copy of the library with tracks on a line, to which tests may add tracks."""
    with Library(Settings(home=copied_home(home_of_line, settings.home))) as library:
        yield library


def track(library: Library, number: int) -> Soundtrack:
    return library.catalogue.tracks_of_audio([audio_id(number)])[audio_id(number)]


def opened(library: Library) -> OpenedIndex:
    return OpenedIndex(library, library.indexes.published())


def numbers(soundtracks: list[Soundtrack]) -> list[int]:
    return [int(found.audio_id or "", 16) for found in soundtracks]


def test_a_path_follows_the_line_that_tracks_lie_on(line: Library) -> None:
    path = path_between(line, opened(line), track(line, 1), track(line, 10), steps=6)

    heard = numbers(path.soundtracks)
    assert len(heard) == 6
    assert (heard[0], heard[-1]) == (1, 10)
    assert heard == sorted(heard)
    assert max(there - here for here, there in pairwise(heard)) <= 3
    assert path.index_version == line.indexes.published_version()


def test_the_steps_of_a_path_are_distances_by_the_ranking_of_the_index(line: Library) -> None:
    path = path_between(line, opened(line), track(line, 0), track(line, 9), steps=5)

    index = line.indexes.published()
    for (here, there), step in zip(pairwise(path.soundtracks), path.distances, strict=True):
        assert here.audio_id is not None
        assert there.audio_id is not None
        assert step == distances_to(line, index, here.audio_id, [there.audio_id])[there.audio_id]


def test_a_path_is_the_same_each_time_and_may_consist_of_its_ends(line: Library) -> None:
    ends = track(line, 2), track(line, 7)
    assert path_between(line, opened(line), *ends, steps=7) == path_between(line, opened(line), *ends, steps=7)
    assert numbers(path_between(line, opened(line), *ends, steps=2).soundtracks) == [2, 7]
    with pytest.raises(ValueError, match="at least its two ends"):
        path_between(line, opened(line), *ends, steps=1)


def test_a_long_path_through_a_small_library_has_every_track_once(line: Library) -> None:
    path = path_between(line, opened(line), track(line, 0), track(line, 11), steps=40)
    assert sorted(numbers(path.soundtracks)) == list(range(LINE))


def test_a_path_in_a_library_of_two_tracks_consists_of_its_ends(library: Library) -> None:
    add_tracks(library, 0, 1)
    publish(library)
    assert numbers(
        path_between(library, opened(library), track(library, 1), track(library, 0), steps=8).soundtracks
    ) == [1, 0]


def test_a_path_obeys_the_cap_of_artists_if_possible(library: Library) -> None:
    for number in range(LINE):
        artist = "Everywhere" if number in {1, 3, 5, 7, 9} else f"Artist {number}"
        add_track(library, number, on_a_line(number), artist=artist)
    publish(library)

    path = path_between(library, opened(library), track(library, 0), track(library, 11), steps=6)
    assert Counter(found.artist for found in path.soundtracks)["Everywhere"] <= 2
    with Library(Settings(home=library.settings.home, per_artist=1)) as strict:
        every = path_between(strict, opened(strict), track(library, 0), track(library, 11), steps=LINE)
        assert len(every.soundtracks) == LINE, "there are no other tracks"


def test_a_path_from_a_track_to_itself_or_to_another_encoding_of_it_is_refused(growing_line: Library) -> None:
    add_track(growing_line, 50, encoded_again(on_a_line(3)))
    publish(growing_line)
    for end in (3, 50):
        with pytest.raises(PlaylistImpossible, match="this is the recording that the path begins with"):
            path_between(growing_line, opened(growing_line), track(growing_line, 3), track(growing_line, end), steps=4)


def test_a_track_that_was_added_after_the_index_has_no_path(growing_line: Library) -> None:
    add_tracks(growing_line, 70)
    with pytest.raises(FeaturesMissing, match=r"it is not in the index yet"):
        path_between(growing_line, opened(growing_line), track(growing_line, 3), track(growing_line, 70), steps=4)


def test_a_playlist_has_tracks_near_to_its_seeds_and_not_the_seeds(line: Library) -> None:
    playlist = playlist_from(line, opened(line), [track(line, 2), track(line, 9)], count=4)

    heard = numbers(playlist.soundtracks)
    assert len(heard) == 4
    assert not {2, 9} & set(heard)
    assert set(heard[:2]) <= {0, 1, 3, 4}, "the first half represents one seed"
    assert set(heard[2:]) <= {7, 8, 10, 11}, "the second half represents the other seed"


def test_a_playlist_larger_than_the_library_has_every_track_except_the_seeds(line: Library) -> None:
    playlist = playlist_from(line, opened(line), [track(line, 2), track(line, 2)], count=50)
    assert sorted(numbers(playlist.soundtracks)) == [number for number in range(LINE) if number != 2]


def test_a_playlist_obeys_the_cap_while_there_are_other_tracks(line: Library) -> None:
    with Library(Settings(home=line.settings.home, per_artist=1)) as strict:
        playlist = playlist_from(strict, opened(strict), [track(line, 0), track(line, 11)], count=6)
    assert max(Counter(found.artist for found in playlist.soundtracks).values()) == 1


def test_a_playlist_from_a_library_with_only_the_seeds_is_empty(library: Library) -> None:
    add_tracks(library, 0, 1)
    publish(library)
    assert playlist_from(library, opened(library), [track(library, 0), track(library, 1)], count=3).soundtracks == []


def test_more_seeds_than_tracks_are_refused(line: Library) -> None:
    with pytest.raises(PlaylistImpossible, match="2 tracks cannot represent 3 seeds"):
        playlist_from(line, opened(line), [track(line, number) for number in (1, 2, 3)], count=2)
    with pytest.raises(ValueError, match="needs a seed"):
        playlist_from(line, opened(line), [], count=2)


@pytest.fixture
def twice(library: Library) -> Library:
    """Ten tracks, and second encodings of tracks 0 and 1 as tracks 50 and 51."""
    add_tracks(library, *range(10))
    for number in (0, 1):
        add_track(library, 50 + number, encoded_again(cepstra(number)))
    publish(library)
    return library


def test_paths_and_playlists_have_no_recording_twice(twice: Library) -> None:
    path = path_between(twice, opened(twice), find_track(twice, "2.flac"), find_track(twice, "3.flac"), steps=10)
    playlist = playlist_from(twice, opened(twice), [track(twice, 0)], count=20)

    for heard in (numbers(path.soundtracks), [0, *numbers(playlist.soundtracks)]):
        assert not any({one, other} in ({0, 50}, {1, 51}) for one, other in combinations(heard, 2))


# --- Playlist files


@pytest.fixture
def soundtracks(library: Library) -> list[Soundtrack]:
    add_tracks(library, 1, 2)
    for number in (1, 2):
        library.blobs.write("soundtracks", f"{number}.flac", b"music")
    return library.catalogue.soundtracks()


def test_a_playlist_file_names_the_paths_of_the_tracks(
    library: Library, soundtracks: list[Soundtrack], tmp_path: Path
) -> None:
    export_playlist(library, tmp_path / "list.m3u8", "Two", soundtracks)

    tracks = read_m3u8((tmp_path / "list.m3u8").read_text(encoding="utf-8"))
    assert [Path(track.location).read_bytes() for track in tracks] == [b"music"] * 2
    assert [(track.name, track.seconds) for track in tracks] == [("1", 30), ("2", 30)]


def test_a_playlist_file_with_relative_paths_can_be_moved_with_the_music(
    library: Library, soundtracks: list[Soundtrack], tmp_path: Path
) -> None:
    (tmp_path / "real folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real folder")

    export_playlist(library, tmp_path / "link" / "list.m3u8", "Two", soundtracks, relative=True)

    moved = tmp_path.rename(tmp_path.with_name("moved"))
    tracks = read_m3u8((moved / "real folder" / "list.m3u8").read_text(encoding="utf-8"))
    assert [(moved / "real folder" / track.location).read_bytes() for track in tracks] == [b"music"] * 2
    moved.rename(tmp_path)


def test_relative_paths_to_a_remote_library_are_refused(
    library: Library, soundtracks: list[Soundtrack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(library.blobs), "path", lambda *_: None)

    with pytest.raises(PlaylistImpossible, match="no relative path leads to them"):
        export_playlist(library, tmp_path / "list.m3u8", "Two", soundtracks, relative=True)
    assert not list(tmp_path.glob("list.*"))


def test_a_playlist_file_of_a_remote_library_has_signed_links(
    library: Library, soundtracks: list[Soundtrack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(library.blobs), "path", lambda *_: None)

    export_playlist(library, tmp_path / "list.jspf", "Two", soundtracks)

    first, _ = json.loads((tmp_path / "list.jspf").read_text())["playlist"]["track"]
    (location,) = first["location"]
    assert location.startswith("/blobs/soundtracks/1.flac?expires=")
    query = parse_qs(urlsplit(location).query)
    assert "signature" in query
    assert 3500 < int(query["expires"][0]) - time.time() <= 3600, "the link expires within an hour"


@pytest.mark.parametrize("known", [True, False])
def test_listenbrainz_takes_the_file_of_a_playlist_whose_tags_name_every_recording(
    library: Library, tmp_path: Path, known: bool
) -> None:
    mbids = [f"{number:08x}-0000-4000-8000-000000000000" for number in (1, 2)]
    add_track(library, 1, cepstra(1), recording_mbid=mbids[0])
    add_track(library, 2, cepstra(2), recording_mbid=mbids[1] if known else "")
    export_playlist(library, tmp_path / "list.jspf", "Two", library.catalogue.soundtracks())

    written = json.loads((tmp_path / "list.jspf").read_text(encoding="utf-8"))
    assert recordings_for_listenbrainz(written) == (mbids if known else None)


def test_a_playlist_file_that_cannot_be_written_is_reported(
    library: Library, soundtracks: list[Soundtrack], tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=r"the playlist cannot be written \(No such file or directory\)"):
        export_playlist(library, tmp_path / "missing" / "list.m3u8", "Two", soundtracks)
    with pytest.raises(UnknownPlaylistFormat):
        export_playlist(library, tmp_path / "list.txt", "Two", soundtracks)
