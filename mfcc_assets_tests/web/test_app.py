"""Tests of what all pages have."""

import html
import re

import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.web.library.tracks import MOST_PLAYED
from mfcc_assets_tests.web.clients import client_of


def test_static_files_named_with_a_digest_are_kept_and_others_are_asked_for_again(pages: FlaskClient) -> None:
    sheet = re.search(r'href="(/static/css/base\.css\?v=[0-9a-f]+)"', pages.get("/help").text)
    assert sheet is not None

    assert "immutable" in pages.get(sheet[1]).headers["Cache-Control"]
    assert pages.get("/static/js/main.js").headers["Cache-Control"] == "no-cache"


def test_a_chosen_language_stays(pages: FlaskClient) -> None:
    response = pages.get("/language/zh", query_string={"back": "/help"})

    assert response.location == "/help"
    assert '<html lang="zh">' in pages.get("/help").text


@pytest.mark.parametrize("address", ["/library?search=a%26b%20c&sort=year", "/help", "/nothing-here"])
def test_the_link_to_another_language_leads_back_to_its_page(pages: FlaskClient, address: str) -> None:
    link = re.search(r'href="(/language/zh\?[^"]*)"', pages.get(address).text)
    assert link is not None

    assert pages.get(html.unescape(link[1])).location == address


def test_pages_tell_the_player_how_many_tracks_of_a_radio_the_server_reads(pages: FlaskClient) -> None:
    assert f'data-most-played="{MOST_PLAYED}"' in pages.get("/help").text


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_the_choice_of_a_language_leads_to_no_other_site(pages: FlaskClient, back: str) -> None:
    assert pages.get("/language/zh", query_string={"back": back}).location == "/"


def test_the_choice_of_a_language_needs_no_sound_address_of_the_page_before(pages: FlaskClient) -> None:
    assert pages.get("/language/zh", headers={"Referer": "http://["}).location == "/"


def test_a_browser_that_prefers_chinese_is_answered_in_chinese(pages: FlaskClient) -> None:
    page = pages.get("/help", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}).text

    assert '<html lang="zh">' in page


def test_other_names_of_this_machine_are_refused_unless_they_are_trusted(library: Library) -> None:
    pages = client_of(library)

    refused = pages.get("/help", base_url="http://rebound.example")
    assert (refused.status_code, refused.content_type) == (400, "text/plain; charset=utf-8")
    assert pages.get("/help", base_url="http://localhost:8000").status_code == 200


@pytest.mark.parametrize("host", ["[::1]", "[::1]:8000", "127.0.0.1:8000", "localhost"])
def test_this_machine_may_be_asked_for_by_each_of_its_names(library: Library, host: str) -> None:
    assert client_of(library).get("/healthz", base_url=f"http://{host}").status_code == 200


def test_a_trusted_host_may_be_asked_for(library: Library) -> None:
    settings = library.settings.model_copy(update={"web_trusted_hosts": "music.example, .home.example"})
    pages = client_of(Library(settings))

    assert pages.get("/healthz", base_url="https://music.example").status_code == 200
    assert pages.get("/healthz", base_url="https://den.home.example").status_code == 200
    assert pages.get("/healthz", base_url="https://other.example").status_code == 400
