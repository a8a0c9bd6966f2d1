"""Tests of the lists for programs."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from mfcc_assets.audio.tags import Tags
from mfcc_assets.library import Library
from mfcc_assets_tests.web.clients import client_of
from mfcc_assets_tests.web.library.conftest import OVERRIDE, add_rows


@pytest.fixture
def tagged(library: Library) -> FlaskClient:
    """A client of a library of twelve tracks by three artists that were not analysed."""
    rows = [
        (
            f"{number:02}.mp3",
            Tags(
                title=f"Title {number:02}",
                artist=f"Artist {number % 3}",
                album=f"Album {number % 3}",
                genre="Pop, Art" if number % 2 else "Jazz",
                year=2000 + number % 4,
            ),
        )
        for number in range(12)
    ]
    add_rows(library, *rows)
    return client_of(library)


def pages_of(client: FlaskClient, address: str) -> list[Any]:
    """Return the items of all pages, which follow each other by the link of each."""
    items: list[Any] = []
    for _ in range(50):
        response = client.get(address)
        assert response.status_code == 200, response.text
        items += response.get_json()["items"]
        link = response.headers.get("Link")
        if link is None:
            assert response.get_json()["after"] is None
            return items
        address = link.partition("<")[2].partition(">")[0]
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("limit", [1, 5, 12, 200])
def test_the_pages_of_a_list_have_each_track_once_in_order(tagged: FlaskClient, limit: int) -> None:
    titles = [item["title"] for item in pages_of(tagged, f"/api/v1/tracks?limit={limit}")]
    assert titles == [f"Title {number:02}" for number in range(12)]


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ("artist=artist 1", [1, 4, 7, 10]),
        ("search=title 03", [3]),
        ("genre=pop&year=2001", [1, 5, 9]),
        ("artist=Artist 1&genre=Jazz", [4, 10]),
        ("year=1999", []),
        ("sort=year&genre=Art&limit=2", [3, 7, 11, 9, 1, 5]),
    ],
)
def test_tracks_are_found_by_all_filters_together(tagged: FlaskClient, asked: str, numbers: list[int]) -> None:
    found = [item["title"] for item in pages_of(tagged, f"/api/v1/tracks?{asked}")]
    assert found == [f"Title {number:02}" for number in numbers]
    totals = tagged.get(f"/api/v1/tracks?{asked}").get_json()["totals"]
    assert totals["tracks"] == len(numbers)


def test_an_album_of_the_list_is_a_filter(tagged: FlaskClient) -> None:
    albums = pages_of(tagged, "/api/v1/albums?limit=2")
    assert [(album["title"], album["artist"]) for album in albums] == [(f"Album {n}", f"Artist {n}") for n in range(3)]
    chosen = tagged.get("/api/v1/tracks", query_string={"album": albums[2]["album_id"]}).get_json()
    assert {item["album"] for item in chosen["items"]} == {"Album 2"}
    of_artist = tagged.get("/api/v1/albums?artist=Artist 1").get_json()["items"]
    assert [album["title"] for album in of_artist] == ["Album 1"]


def test_artists_genres_and_years_are_listed_with_their_totals(tagged: FlaskClient) -> None:
    listed = {
        kind: [
            (item.get("name", item.get("year")), item["totals"]["tracks"])
            for item in pages_of(tagged, f"/api/v1/{kind}?limit=2")
        ]
        for kind in ("artists", "genres", "years")
    }
    assert listed == {
        "artists": [("Artist 0", 4), ("Artist 1", 4), ("Artist 2", 4)],
        "genres": [("Art", 6), ("Jazz", 6), ("Pop", 6)],
        "years": [(2003, 3), (2002, 3), (2001, 3), (2000, 3)],
    }


def test_a_caller_that_has_a_page_already_is_sent_none(tagged: FlaskClient) -> None:
    first = tagged.get("/api/v1/tracks?limit=5")
    again = tagged.get("/api/v1/tracks?limit=5", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_names_are_safe_to_show(library: Library) -> None:
    add_rows(library, ("a.mp3", Tags(title=OVERRIDE, artist=OVERRIDE, album=OVERRIDE, genre=OVERRIDE)))
    client = client_of(library)
    for kind in ("tracks", "artists", "albums", "genres"):
        assert "\u202e" not in client.get(f"/api/v1/{kind}").get_data(as_text=True)
        assert "\\u202e" not in client.get(f"/api/v1/{kind}").text


def test_the_cursor_of_another_list_is_none(tagged: FlaskClient) -> None:
    after = tagged.get("/api/v1/tracks?limit=1").get_json()["after"]
    assert tagged.get("/api/v1/artists", query_string={"after": after}).status_code == 404
    assert tagged.get("/api/v1/tracks", query_string={"after": after, "sort": "year"}).status_code == 404
