"""Playlist files, read back by strict parsers."""

import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.errors import UnknownPlaylistFormat
from mfcc_assets.playlists.formats import Entry, csv_table, format_of, jspf, m3u8, xspf
from mfcc_assets.texts import printable
from mfcc_assets_tests.playlist_files import check_jspf_track, read_m3u8, read_xspf, recordings_for_listenbrainz

TEXT = st.text(st.characters(), max_size=12) | st.text("a \x1b\n\u202e\u2066\ud800", max_size=6)
NAME = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12)
MBID = st.uuids(version=4).map(str)
ENTRY = st.builds(
    Entry,
    location=NAME.map(lambda name: Path("/music") / name.replace("/", "_")),
    title=TEXT,
    artist=TEXT,
    album=TEXT,
    seconds=st.none() | st.floats(0.5, 1e5),
    identifier=st.just("urn:mfcc:0123456789abcdef"),
    recording_mbid=st.just("") | MBID,
    release_mbid=st.just("") | MBID,
    artist_mbids=st.lists(MBID, max_size=3, unique=True).map(tuple),
)
RECORDING, RELEASE, ANNA, BO = (f"{number:08x}-0000-4000-8000-000000000000" for number in range(4))
SONG = Entry(Path("/music/É.ogg"), "Été", "Zoë", "", 29.6, "urn:mfcc:0123456789abcdef")


def test_an_m3u8_has_length_name_and_location_of_every_track() -> None:
    unknown = Entry("https://host/a?b=c&d", "Rain", "", "Weather", None, "urn:mfcc:2")
    assert m3u8("A list", [SONG, unknown]) == (
        "#EXTM3U\n#PLAYLIST:A list\n#EXTINF:30,Zoë - Été\n/music/É.ogg\n"
        "#EXTINF:-1,Rain\n#EXTALB:Weather\nhttps://host/a?b=c&d\n"
    )


@pytest.mark.parametrize(
    ("name", "address"),
    [("caf\udce9.mp3", "file:///music/caf%E9.mp3"), ("line\nfeed.mp3", "file:///music/line%0Afeed.mp3")],
)
def test_a_path_that_is_no_line_of_text_is_written_as_an_address(name: str, address: str) -> None:
    entry = Entry(Path("/music") / name, "A title", "", "", None, "urn:mfcc:1")

    assert m3u8("A list", [entry]).splitlines()[-1] == address
    assert json.loads(jspf("A list", [entry]))["playlist"]["track"][0]["location"] == [address]


def test_a_jspf_playlist_is_xspf_in_json() -> None:
    assert json.loads(jspf("A list", [SONG])) == {
        "playlist": {
            "title": "A list",
            "creator": "mfcc_assets",
            "track": [
                {
                    "location": ["file:///music/%C3%89.ogg"],
                    "identifier": ["urn:mfcc:0123456789abcdef"],
                    "title": "Été",
                    "creator": "Zoë",
                    "duration": 29600,
                }
            ],
        }
    }


def test_a_jspf_names_recordings_releases_and_artists_as_listenbrainz_does() -> None:
    known = replace(SONG, recording_mbid=RECORDING, release_mbid=RELEASE, artist_mbids=(ANNA, BO))
    playlist = json.loads(jspf("A list", [known, SONG]))["playlist"]

    assert playlist["extension"] == {"https://musicbrainz.org/doc/jspf#playlist": {"public": False}}
    assert [track["identifier"] for track in playlist["track"]] == [
        [f"https://musicbrainz.org/recording/{RECORDING}", "urn:mfcc:0123456789abcdef"],
        ["urn:mfcc:0123456789abcdef"],
    ]
    assert [track.get("extension") for track in playlist["track"]] == [
        {
            "https://musicbrainz.org/doc/jspf#track": {
                "artist_identifiers": [
                    f"https://musicbrainz.org/artist/{ANNA}",
                    f"https://musicbrainz.org/artist/{BO}",
                ],
                "release_identifier": f"https://musicbrainz.org/release/{RELEASE}",
            }
        },
        None,
    ]


def test_listenbrainz_takes_a_jspf_whose_recordings_are_all_known_and_no_other() -> None:
    known = [replace(SONG, recording_mbid=mbid) for mbid in (RECORDING, RELEASE)]

    assert recordings_for_listenbrainz(json.loads(jspf("A list", known))) == [RECORDING, RELEASE]
    assert recordings_for_listenbrainz(json.loads(jspf("A list", [*known, SONG]))) is None
    assert recordings_for_listenbrainz(json.loads(jspf("A list", [SONG]))) is None


@given(TEXT, st.lists(ENTRY, max_size=4))
def test_an_m3u8_read_back_names_the_same_tracks(title: str, entries: list[Entry]) -> None:
    read = read_m3u8(m3u8(title, entries))
    assert [track.location for track in read] == [str(entry.location) for entry in entries]
    assert [track.seconds for track in read] == [
        -1 if entry.seconds is None else round(entry.seconds) for entry in entries
    ]
    for track, entry in zip(read, entries, strict=True):
        named = [part for part in map(printable, (entry.artist, entry.title)) if part.strip()]
        assert track.name.split() == " - ".join(named).split()
        assert track.album.split() == printable(entry.album).split()


@given(TEXT, st.lists(ENTRY, max_size=4))
def test_a_jspf_has_only_keys_of_the_format_and_locations_that_lead_to_the_files(title: str, entries) -> None:
    playlist = json.loads(jspf(title, entries))["playlist"]
    assert playlist["title"] == printable(title)
    for track, entry in zip(playlist["track"], entries, strict=True):
        check_jspf_track(track)
        (location,) = track["location"]
        assert unquote(urlsplit(location).path, errors="surrogateescape") == str(entry.location)
        texts = [track.get(name, "") for name in ("title", "creator", "album")]
        assert texts == [printable(text) for text in (entry.title, entry.artist, entry.album)]


@given(TEXT, st.lists(ENTRY, max_size=4))
def test_an_xspf_keeps_the_rules_of_its_schema_and_has_the_values_of_the_jspf(title: str, entries: list[Entry]) -> None:
    read_title, tracks = read_xspf(xspf(title, entries))
    playlist = json.loads(jspf(title, entries))["playlist"]

    assert read_title == playlist["title"]
    assert tracks == playlist["track"]


@given(st.lists(ENTRY, max_size=4))
def test_a_csv_read_back_has_the_tags_the_lengths_and_the_paths(entries: list[Entry]) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_table("A list", entries), newline="")))

    assert [row["position"] for row in rows] == [str(position) for position in range(1, len(entries) + 1)]
    for row, entry in zip(rows, entries, strict=True):
        tags = [row[name] for name in ("title", "artist", "album")]
        assert tags == [printable(text) for text in (entry.title, entry.artist, entry.album)]
        assert row["location"] == str(entry.location)
        assert row["seconds"] == ("" if entry.seconds is None else str(round(entry.seconds, 3)))


RELATIVE_NAMES = ["rain.ogg", "É.ogg", "#1 hit.ogg", "a:b.ogg", " space.ogg", "100%.ogg", "a?b#c.ogg", "sub/x.ogg"]


@pytest.mark.parametrize("folder", ["/music", "/music/lists", "/lists/of mine", "/"])
@pytest.mark.parametrize("name", RELATIVE_NAMES)
def test_a_relative_location_leads_from_the_playlist_to_the_file_in_every_format(folder: str, name: str) -> None:
    entries = [Entry(Path("/music") / name, "A title", "", "", None, "urn:mfcc:1")]
    (line,) = read_m3u8(m3u8("A list", entries, relative_to=Path(folder)))
    (row,) = csv.DictReader(io.StringIO(csv_table("A list", entries, relative_to=Path(folder))))
    _, (in_xspf,) = read_xspf(xspf("A list", entries, relative_to=Path(folder)), relative=True)
    (in_jspf,) = json.loads(jspf("A list", entries, relative_to=Path(folder)))["playlist"]["track"]
    check_jspf_track(in_jspf, relative=True)

    for path in (line.location, row["location"]):
        assert not path.startswith("/")
        assert os.path.normpath(Path(folder, path)) == f"/music/{name}"
    base = Path(folder, "list.xspf").as_uri()
    for address in (in_xspf["location"][0], in_jspf["location"][0]):
        assert not urlsplit(address).scheme
        assert unquote(urlsplit(urljoin(base, address)).path) == f"/music/{name}"


def test_an_address_stays_an_address_in_a_playlist_of_relative_paths() -> None:
    entries = [Entry("https://host/a", "A title", "", "", None, "urn:mfcc:1")]

    assert m3u8("A list", entries, relative_to=Path("/music")).splitlines()[-1] == "https://host/a"


def test_a_path_that_is_no_line_of_text_stays_absolute_among_relative_paths() -> None:
    entries = [Entry(Path("/music/line\nfeed.mp3"), "A title", "", "", None, "urn:mfcc:1")]

    assert m3u8("A list", entries, relative_to=Path("/music")).splitlines()[-1] == "file:///music/line%0Afeed.mp3"


@pytest.mark.parametrize(
    ("name", "written_by"), [("a.m3u8", m3u8), ("a.b.JSPF", jspf), ("a.xspf", xspf), ("A.CSV", csv_table)]
)
def test_the_suffix_decides_the_format(name: str, written_by) -> None:
    assert format_of(Path(name)) is written_by


@pytest.mark.parametrize("name", ["a.pls", "a", "a.m3u", ".jspf"])
def test_another_suffix_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(UnknownPlaylistFormat) as refused:
        format_of(Path(name))
    assert str(refused.value) == (
        f"{name}: this playlist format is not supported. Use a file name that ends in .m3u8, .xspf, .jspf or .csv."
    )
