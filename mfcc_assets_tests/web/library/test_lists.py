"""Tests of the lists of the library."""

import html
import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from mfcc_assets.audio.tags import Tags
from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets_tests.web.clients import client_of
from mfcc_assets_tests.web.library.conftest import add_rows


def _titles(page: str) -> list[str]:
    return [html.unescape(title) for title in re.findall(r'class="title"[^>]*><bdi>(.*?)</bdi>', page)]


def _link(page: str, kind: str) -> str | None:
    found = re.search(rf'rel="{kind}" href="([^"]*)"', page)
    return html.unescape(found[1]) if found else None


@pytest.fixture
def large(library: Library) -> FlaskClient:
    rows = [
        (
            f"{number:03}.mp3",
            Tags(title=f"Song {number:03}", artist=f"A & B {number % 3}", album="X", year=2000 + number % 2),
        )
        for number in range(100)
    ]
    add_rows(library, *rows)
    return client_of(library)


def test_the_tracks_of_the_library_are_listed_with_what_the_player_needs(pages: FlaskClient) -> None:
    page = pages.get("/library").text

    assert _titles(page) == [f"Song {number}" for number in range(10)]
    assert page.count("data-track=") == page.count('data-action="play"') == 10
    assert "10 tracks" in page


def test_pages_lead_forth_and_back_through_every_track(large: FlaskClient) -> None:
    seen, address, addresses = [], "/library", []
    while address:
        addresses.append(address)
        page = large.get(address).text
        seen += _titles(page)
        address = _link(page, "next") or ""
    assert seen == [f"Song {number:03}" for number in range(100)]

    back = [_titles(large.get(_link(large.get(address).text, "prev") or "").text)[0] for address in addresses[1:]]
    assert back == ["Song 000", "Song 040"]
    assert _link(large.get("/library").text, "prev") is None


def test_search_and_filters_go_together_and_stay_from_page_to_page(large: FlaskClient) -> None:
    page = large.get("/library?search=song&artist=A+%26+B+1&year=2000&sort=newest").text

    assert "16 tracks" in page
    assert 'name="artist" value="A &amp; B 1"' in page
    many = large.get("/library?search=song&year=2001").text
    assert "search=song&year=2001" in (_link(many, "next") or "")


def test_the_genres_of_a_track_are_links_that_find_it(library: Library) -> None:
    (track,) = add_rows(library, ("a.mp3", Tags(title="One", genre="Rock & Roll, Pop")))
    pages = client_of(library)

    links = re.findall(r'href="(/library\?genre=[^"]*)"', pages.get(f"/tracks/{track}").text)
    assert [_titles(pages.get(html.unescape(link)).text) for link in links] == [["One"], ["One"]]


@pytest.mark.parametrize("kind", ["artists", "albums", "genres", "years"])
def test_groups_are_counted_and_lead_to_their_tracks(library: Library, kind: str) -> None:
    tags = Tags(artist="Zoë", album="Air", genre="Jazz", year=1999)
    add_rows(library, ("a/1.mp3", replace(tags, title="One")), ("a/2.mp3", replace(tags, title="Two")))
    pages = client_of(library)

    page = pages.get(f"/library/{kind}").text
    assert "2 tracks" in page
    link = re.search(r'<li><a href="([^"]*)"', page)
    assert link is not None
    assert sorted(_titles(pages.get(html.unescape(link[1])).text)) == ["One", "Two"]


@pytest.mark.parametrize(
    "path", ["/library", "/library/artists", "/library/albums", "/library/genres", "/library/years"]
)
def test_an_empty_library_says_so(library: Library, path: str) -> None:
    response = client_of(library).get(path)

    assert response.status_code == 200
    assert 'class="empty"' in response.text


@pytest.mark.parametrize("query", ["after=nonsense", "after=%00", "year=soon", "year=99999999999999999999"])
def test_nonsense_in_an_address_is_told_and_fails_nothing(pages: FlaskClient, query: str) -> None:
    assert pages.get(f"/library?{query}").status_code == 404


@pytest.mark.parametrize("query", ["search=%25_%00", "sort=none", "album=%F0%9F%8E%B5", "search=" + "a" * 3000])
def test_unusual_wishes_find_nothing_or_something_but_fail_nothing(pages: FlaskClient, query: str) -> None:
    assert pages.get(f"/library?{query}").status_code == 200


def test_hostile_names_are_shown_as_text(hostile: tuple[FlaskClient, list[TrackId]]) -> None:
    pages, _ = hostile
    for path in ("/library", "/library?genre=%3Cscript%3Ealert(1)%3C/script%3E", "/library/artists", "/library/genres"):
        page = pages.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "\u202e" not in page


def test_a_page_stays_small(large: FlaskClient) -> None:
    assert len(large.get("/library").data) < 100_000


def test_no_page_has_scripts_or_styles_in_itself(pages: FlaskClient, songs: list[TrackId]) -> None:
    a, b = songs[:2]
    for path in ("/library", "/library/albums", f"/tracks/{a}", f"/tracks/{a}/why/{b}", f"/playlist?seed={a}",
                 f"/path?from={a}&to={b}", "/health"):  # fmt: skip
        page = pages.get(path).text
        assert not re.search(r"\son\w+=|\sstyle=|<style", page)
        assert {*re.findall(r"<script[^>]*>", page)} == {
            '<script type="application/json" id="texts">', re.search(r'<script type="module"[^>]*>', page)[0]  # type: ignore[index]
        }  # fmt: skip


@pytest.mark.parametrize("year", ["--5", "9" * 100, "١٩٨٧", "1e3"])
def test_what_is_no_year_is_told(pages: FlaskClient, year: str) -> None:
    assert pages.get("/library", query_string={"year": year}).status_code == 404
