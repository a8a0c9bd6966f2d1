"""Tests of the page on which one uploads, and of the page of an upload."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import Mock

import mutagen
import pytest
from flask.testing import FlaskClient

from mfcc_assets.library import Library
from mfcc_assets.web.uploads.room import room_of
from mfcc_assets_tests.upload_steps import answer_uploads
from mfcc_assets_tests.web.clients import client_of
from mfcc_assets_tests.web.uploads.answered import answered, sent

SCRIPT = "<script>alert(1)<script>"


def _cards(page: str) -> list[str]:
    return re.findall(r'<li class="track" data-track=\'(.*?)\'>', page)


def test_formats_and_the_limit_are_said_beforehand(pages: FlaskClient) -> None:
    page = pages.get("/").text

    assert "MP3, FLAC" in page
    assert "up to 300 MB" in page
    assert 'action="/uploads/sample"' in page


def test_a_browser_lists_its_uploads_and_another_one_does_not(pages: FlaskClient, song: bytes) -> None:
    upload = sent(pages, song)
    other = pages.application.test_client()

    assert f"/uploads/{upload}" in pages.get("/").text
    assert f"/uploads/{upload}" not in other.get("/").text


@pytest.mark.parametrize("part", ["", "/answer", "/state", "/export.m3u8", "/pictures/cepstra.png", "why"])
def test_the_record_of_an_upload_is_read_once_for_a_page_and_no_link_is_signed(
    ten_tracks: Library, pages: FlaskClient, song: bytes, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    upload = answered(ten_tracks, pages, song)
    why = re.search(r'href="([^"]+/why/[0-9a-f]+)"', pages.get(f"/uploads/{upload}").text)
    assert why is not None
    reading, linking = Mock(wraps=ten_tracks.documents.get), Mock(wraps=ten_tracks.blobs.link)
    monkeypatch.setattr(ten_tracks.documents, "get", reading)
    monkeypatch.setattr(ten_tracks.blobs, "link", linking)

    assert pages.get(why[1] if part == "why" else f"/uploads/{upload}{part}").status_code == 200

    assert reading.call_count == 1
    assert linking.call_count == 0


@pytest.mark.parametrize(
    ("days", "said"),
    [(90, "deleted after 90 days"), (1, "deleted after 1 day,"), (0, "until the owner of the library")],
)
def test_whoever_deletes_an_upload_is_told_that_the_records_of_runs_name_the_file(
    ten_tracks: Library, song: bytes, days: int, said: str
) -> None:
    with Library(ten_tracks.settings.model_copy(update={"history_days": days})) as library:
        pages = client_of(library)
        upload = sent(pages, song)

        assert said in pages.get(f"/uploads/{upload}").text


def test_only_the_browser_that_sent_an_upload_is_told_that_it_is_its_own(
    ten_tracks: Library, pages: FlaskClient, song: bytes
) -> None:
    upload = answered(ten_tracks, pages, song)
    other = pages.application.test_client()

    assert "Your upload" in pages.get(f"/uploads/{upload}").text
    shown = other.get(f"/uploads/{upload}").text
    assert "An upload" in shown
    assert "Your upload" not in shown
    assert "your track" not in shown


def test_another_browser_opens_an_upload_by_its_address_but_has_no_right_to_it(
    ten_tracks: Library, pages: FlaskClient, song: bytes
) -> None:
    upload = answered(ten_tracks, pages, song)
    other = pages.application.test_client()

    page = other.get(f"/uploads/{upload}")
    assert page.status_code == 200
    assert "/delete" not in page.text
    for action in ("share", "share/revoke", "delete"):
        assert other.post(f"/uploads/{upload}/{action}").status_code == 403
    assert pages.get(f"/uploads/{upload}").status_code == 200


def test_the_preview_is_shown_and_turns_to_the_same_recorded_answer(
    ten_tracks: Library, pages: FlaskClient, song: bytes
) -> None:
    upload = sent(pages, song)
    preview = pages.get(f"/uploads/{upload}").text
    answer_uploads(ten_tracks, [upload])
    recorded = pages.get(f"/uploads/{upload}").text

    assert 'class="tag preview"' in preview
    assert 'class="tag recorded"' in recorded
    assert len(_cards(preview)) == ten_tracks.settings.recommendations
    assert _cards(preview) == _cards(recorded)
    keys = [re.search(r'data-part="answer" data-key="([^"]*)"', page) for page in (preview, recorded)]
    assert all(keys)
    assert keys[0][1] == keys[1][1] != ""  # type: ignore[index]


def test_the_part_of_the_answer_is_what_the_page_has(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    upload = answered(ten_tracks, pages, song)

    part = pages.get(f"/uploads/{upload}/answer").text
    assert _cards(part) == _cards(pages.get(f"/uploads/{upload}").text)
    assert "<html" not in part


def test_a_page_without_scripts_comes_again_until_the_answer_is_recorded(
    ten_tracks: Library, pages: FlaskClient, song: bytes
) -> None:
    upload = sent(pages, song)
    refresh = '<noscript><meta http-equiv="refresh"'

    assert refresh in pages.get(f"/uploads/{upload}").text
    answer_uploads(ten_tracks, [upload])
    assert refresh not in pages.get(f"/uploads/{upload}").text


def test_a_name_that_looks_like_a_script_is_only_text(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    upload = answered(ten_tracks, pages, song, name=f"{SCRIPT}'\"&.flac")

    for address in ("/", f"/uploads/{upload}", f"/uploads/{upload}/answer"):
        page = pages.get(address).text
        assert SCRIPT not in page
        assert "&lt;script&gt;alert(1)" in page


def test_the_player_gets_what_it_needs_of_every_card(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    upload = answered(ten_tracks, pages, song)

    for card in _cards(pages.get(f"/uploads/{upload}").text):
        track = json.loads(card)
        assert track["audio"] == f"/tracks/{track['id']}/audio"
        assert {"title", "artist", "artwork", "waveform", "page"} <= track.keys()


def test_an_unchanged_state_is_not_sent_again(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    upload = sent(pages, song)
    first = pages.get(f"/uploads/{upload}/state")
    same = {"If-None-Match": first.headers["ETag"]}

    assert first.get_json()["shown"] == "preview"
    assert pages.get(f"/uploads/{upload}/state", headers=same).status_code == 304
    answer_uploads(ten_tracks, [upload])
    changed = pages.get(f"/uploads/{upload}/state", headers=same)
    assert changed.get_json()["state"] == "ranked"
    assert changed.get_json()["tag"] == changed.get_etag()[0]


def test_the_audio_of_an_upload_is_heard(ten_tracks: Library, pages: FlaskClient, song: bytes) -> None:
    upload = answered(ten_tracks, pages, song)

    assert pages.get(f"/uploads/{upload}/audio", follow_redirects=True).data == song


def test_a_file_without_sound_is_told_in_plain_words(ten_tracks: Library, pages: FlaskClient) -> None:
    upload = sent(pages, b"fLaC and no more")

    page = pages.get(f"/uploads/{upload}").text
    assert "This file is not music that we can read." in page
    answer_uploads(ten_tracks, [upload])
    assert "This file is not music that we can read." in pages.get(f"/uploads/{upload}").text


def test_an_upload_that_came_in_another_way_is_answered_when_its_page_is_opened(
    ten_tracks: Library, pages: FlaskClient, song: bytes
) -> None:
    from mfcc_assets_tests.web.uploads.waiting import wait_for

    upload = "0c" * 16
    ten_tracks.blobs.write("uploads", f"{upload}/song.flac", song)

    assert "We listen to it" in pages.get(f"/uploads/{upload}").text
    wait_for(lambda: room_of(pages.application).previews.get(upload))  # type: ignore[arg-type]
    assert 'class="tag preview"' in pages.get(f"/uploads/{upload}").text


def test_a_library_without_an_index_says_that_the_answer_comes_later(library: Library, song: bytes) -> None:
    pages = client_of(library)
    upload = pages.put("/uploads?name=song.flac", data=song).get_json()["id"]

    assert pages.get(f"/uploads/{upload}").status_code == 200


def test_a_run_is_linked_where_the_address_of_dagster_is_set(ten_tracks: Library, song: bytes) -> None:
    settings = ten_tracks.settings.model_copy(update={"dagster_url": "http://dagster.example/"})
    pages = client_of(Library(settings))
    upload = answered(ten_tracks, pages, song)

    assert 'href="http://dagster.example/runs/run"' in pages.get(f"/uploads/{upload}").text


def test_a_title_with_quotes_adds_nothing_to_the_elements_of_the_page(
    ten_tracks: Library, pages: FlaskClient, song: bytes, tmp_path: Path
) -> None:
    title = 'x" data-action="radio" y=\'z\' <b>'
    file = tmp_path / "song.flac"
    file.write_bytes(song)
    tags = mutagen.File(file, easy=True)
    tags.update({"title": title, "artist": "Somebody"})
    tags.save()
    upload = sent(pages, file.read_bytes())
    preview = _keys(pages.get(f"/uploads/{upload}").text)
    answer_uploads(ten_tracks, [upload])
    recorded = _keys(pages.get(f"/uploads/{upload}").text)

    assert json.loads(recorded["recognised"])["title"] == title
    assert json.loads(recorded["head"])[0] == title
    assert preview["facts"] != recorded["facts"]
    assert preview["head"] == recorded["head"]
    assert preview["rights"] != recorded["rights"]


def _keys(page: str) -> dict[str, str]:
    """Return the key of each part of a page, whose elements have no other attributes than those of the template."""
    found = {}

    class _Reader(HTMLParser):
        def handle_starttag(self, _tag: str, attributes: list[tuple[str, str | None]]) -> None:
            read = {name: value or "" for name, value in attributes}
            assert read.get("data-action") != "radio"
            if "data-key" in read:
                assert read.keys() <= {"data-part", "data-key", "class"}
                found[read["data-part"]] = read["data-key"]

    _Reader().feed(page)
    return found
