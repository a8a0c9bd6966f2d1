"""Playlists as files."""

import json
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mfcc_assets.errors import StoreError, UnknownPlaylistFormat
from mfcc_assets.library import Library
from mfcc_assets.pipeline.playlists import export_playlist
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets_tests.playlist_files import read_m3u8
from mfcc_assets_tests.ranked_library import add_tracks


@pytest.fixture
def soundtracks(library: Library) -> list[Soundtrack]:
    add_tracks(library, 1, 2)
    for number in (1, 2):
        library.blobs.write("soundtracks", f"{number}.flac", b"music")
    return library.catalogue.soundtracks()


def test_the_tracks_of_a_playlist_lie_where_the_library_keeps_them(
    library: Library, soundtracks: list[Soundtrack], tmp_path: Path
) -> None:
    export_playlist(library, tmp_path / "list.m3u8", "Two", soundtracks)

    tracks = read_m3u8((tmp_path / "list.m3u8").read_text(encoding="utf-8"))
    assert [Path(track.location).read_bytes() for track in tracks] == [b"music"] * 2
    assert [(track.name, track.seconds) for track in tracks] == [("1", 30), ("2", 30)]


def test_a_library_elsewhere_is_exported_as_signed_links(
    library: Library, soundtracks: list[Soundtrack], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(library.blobs), "path", lambda *_: None)

    export_playlist(library, tmp_path / "list.jspf", "Two", soundtracks)

    first, _ = json.loads((tmp_path / "list.jspf").read_text())["playlist"]["track"]
    (location,) = first["location"]
    assert location.startswith("/blobs/soundtracks/1.flac?expires=")
    query = parse_qs(urlsplit(location).query)
    assert "signature" in query
    assert 3500 < int(query["expires"][0]) - time.time() <= 3600, "it ends within the hour"


def test_a_file_that_cannot_be_written_is_told_in_a_sentence(
    library: Library, soundtracks: list[Soundtrack], tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=r"the playlist cannot be written \(No such file or directory\)"):
        export_playlist(library, tmp_path / "missing" / "list.m3u8", "Two", soundtracks)
    with pytest.raises(UnknownPlaylistFormat):
        export_playlist(library, tmp_path / "list.txt", "Two", soundtracks)
