"""A music player in the page of another site, in a real browser, that calls a server of the library."""

from typing import TYPE_CHECKING

import pytest
from flask import Flask

from mfcc_assets.pipeline.api_keys import make_key
from mfcc_assets_tests.services.browser import NAMED_HOST, Troubles, fresh_page
from mfcc_assets_tests.web.browser.trial_site import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from mfcc_assets.library import Library

CALLS = """async ([server, apiKey]) => {
  const form = new URLSearchParams({apiKey, f: "json", query: "", songCount: "1"});
  const found = await (await fetch(`${server}/rest/search3.view`, {method: "POST", body: form})).json();
  const song = found["subsonic-response"].searchResult3.song[0];
  const asked = `id=${song.id}&apiKey=${apiKey}`;
  const part = await fetch(`${server}/rest/stream?${asked}`, {headers: {Range: "bytes=0-9", "X-Player": "1"}});
  const audio = new Audio(`${server}/rest/stream?${asked}`);
  const length = await new Promise((done, fail) => {
    audio.onloadedmetadata = () => done(audio.duration);
    audio.onerror = () => fail(new Error("the song cannot be played"));
  });
  const cover = new Image();
  cover.src = `${server}/rest/getCoverArt?${asked}&size=64`;
  await cover.decode();
  return {status: part.status, bytes: (await part.arrayBuffer()).byteLength, length, width: cover.naturalWidth};
}"""


@pytest.fixture
def elsewhere(browser: "Browser", troubles: Troubles) -> "Iterator[Page]":
    """Open a page of another site, which has no rules of its own."""
    other = Flask("another site")
    other.add_url_rule("/", view_func=lambda: "<!doctype html><title>player</title><link rel=icon href=data:,>")
    with serving(other) as near:
        far = near.replace("127.0.0.1", NAMED_HOST)
        with fresh_page(browser, far, troubles) as page:
            page.goto("/")
            yield page


def test_a_player_of_another_site_searches_plays_and_shows_covers(
    elsewhere: "Page", address: str, ten_tracks: "Library"
) -> None:
    key = make_key(ten_tracks, "anna", is_operator=False)
    found = elsewhere.evaluate(CALLS, [address, key])
    assert found["status"] == 206
    assert found["bytes"] == 10
    assert found["length"] == pytest.approx(3.0, abs=0.2)
    assert found["width"] > 0


def test_pages_cannot_be_read_by_another_site(elsewhere: "Page", address: str, troubles: Troubles) -> None:
    troubles.expect("CORS")
    troubles.expect("Failed to load resource")
    read = "async (path) => fetch(path).then(() => 'read', () => 'refused')"
    assert elsewhere.evaluate(read, f"{address}/library") == "refused"
    assert elsewhere.evaluate(read, f"{address}/rest/getOpenSubsonicExtensions") == "read"
