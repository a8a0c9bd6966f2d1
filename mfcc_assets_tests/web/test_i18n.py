"""Tests of the languages of the pages."""

import re
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import read_po
from flask import Flask

from docs.write_catalogue import CATALOGUES, texts_of_the_code, written
from mfcc_assets.sentence import Sentence
from mfcc_assets.similarity.nearness import Nearness
from mfcc_assets.similarity.qualities import QUALITIES
from mfcc_assets.web.i18n import LANGUAGES, gettext, language, messages, ngettext, translated
from mfcc_assets_tests.web.shown_words import english_words

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from mfcc_assets.library import Library

PLACE = re.compile(r"%\(\w+\)\w|\{\w+\}")
TRANSLATED = [code for code in LANGUAGES if code != "en"]
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5", "Accept": "text/html"}


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_has_the_places_of_its_text(code: str) -> None:
    for english, said in messages(code).items():
        assert sorted(PLACE.findall(said)) == sorted(PLACE.findall(english)), english


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalogue_is_as_it_would_be_written(code: str) -> None:
    assert written(code).decode() == (CATALOGUES / f"{code}.po").read_text("utf-8")


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalogue_has_a_translation_of_every_text_and_guesses_none(code: str) -> None:
    with (CATALOGUES / f"{code}.po").open("rb") as file:
        catalogue = read_po(file, locale=code)

    known = messages(code)
    texts = [message.id if isinstance(message.id, str) else message.id[0] for message in texts_of_the_code()]
    assert [text for text in texts if text and text not in known] == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


def test_chinese_translations_have_no_english_words() -> None:
    # A command or a name between backticks is typed as it is in every language.
    typed = re.compile("`[^`]+`")
    found = {said: english_words(PLACE.sub("", typed.sub("", said))) for said in messages("zh").values()}

    assert {said: words for said, words in found.items() if words} == {}


def test_writing_a_catalogue_finds_the_sentences_of_the_core() -> None:
    texts = {message.id for message in texts_of_the_code()}

    assert {word for quality in QUALITIES for word in (quality.low, quality.high)} <= texts
    assert {Nearness(share / 100).word for share in range(101)} <= texts
    assert "No stretch of %(a)s sounds like a stretch of %(b)s." in texts


def test_a_text_without_a_translation_stays_english() -> None:
    with Flask(__name__).test_request_context(headers={"Accept-Language": "zh"}):
        assert language() == "zh"
        assert gettext("a text that nobody translates, with %(value)s", value=3).endswith("with 3")


@pytest.mark.parametrize(("number", "said"), [(1, "1 track"), (2, "2 tracks"), (0, "0 tracks")])
def test_a_number_chooses_the_form_of_a_text(number: int, said: str) -> None:
    with Flask(__name__).test_request_context():
        assert ngettext("%(number)s track", "%(number)s tracks", number) == said


def test_a_sentence_is_translated_with_the_sentences_in_it_and_without_names() -> None:
    words = Sentence("%(words)s and %(last)s", words=Sentence("dark"), last=Sentence("calm"))
    sentence = Sentence(
        "%(a)s is %(of_a)s, and %(b)s is %(of_b)s.", a="dark", of_a=words, b="50 %", of_b=QUALITIES[0].high
    )

    with Flask(__name__).test_request_context(headers={"Accept-Language": "zh"}):
        assert translated(sentence) == "dark 音色暗沉，并且变化平缓，而 50 % 音色明亮。"
        assert translated("dark") == "dark"
    with Flask(__name__).test_request_context():
        assert translated(sentence) == sentence


def _assert_chinese(library: "Library", response: "TestResponse", *names: str) -> None:
    assert '<html lang="zh">' in response.text
    tracks = library.catalogue.soundtracks()
    known = {name for track in tracks for name in (track.title, track.artist, track.album, track.blob_name)}
    assert english_words(response.text, names=(*known, *names)) == []


def test_pages_of_the_library_are_chinese(ten_tracks: "Library", pages: "FlaskClient") -> None:
    a, b = (track.track_id for track in ten_tracks.catalogue.soundtracks()[:2])
    addresses = [
        "/", "/?deleted=1", "/help", "/health", "/map", f"/map?track={a}", f"/map?from={a}&to={b}",
        "/library", "/library?search=song&genre=Rock&year=1999", "/library?sort=newest",
        "/library/artists", "/library/albums", "/library/genres", "/library/years",
        f"/tracks/{a}", f"/tracks/{a}?count=9", *(f"/tracks/{a}/why/{track.track_id}" for track in
        ten_tracks.catalogue.soundtracks()[1:]),
        "/playlist", "/playlist?search=song", "/playlist?search=nothing", f"/playlist?seed={a}&seed={b}&count=9",
        "/path", f"/path?from={a}&search=song", f"/path?from={a}&to={b}", f"/path?from={a}&to={a}",
    ]  # fmt: skip

    for address in addresses:
        response = pages.get(address, headers=CHINESE)
        assert response.status_code == 200, address
        _assert_chinese(ten_tracks, response, "song", "nothing", "Rock")


def test_failures_are_chinese(ten_tracks: "Library", pages: "FlaskClient") -> None:
    unknown = "/uploads/" + "0" * 32
    for address in (
        "/nothing",
        unknown,
        "/uploads/none",
        "/tracks/none",
        "/shared/none",
        "/library?year=x",
        "/library?after=x",
    ):
        response = pages.get(address, headers=CHINESE)
        assert response.status_code == 404, address
        _assert_chinese(ten_tracks, response)
    foreign = pages.post("/uploads", headers={**CHINESE, "Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    _assert_chinese(ten_tracks, foreign)


def test_a_library_without_music_is_chinese(library: "Library") -> None:
    from mfcc_assets_tests.web.clients import client_of

    pages = client_of(library)
    for address in ("/library", "/library/genres", "/map", "/health", "/playlist?search=a"):
        _assert_chinese(library, pages.get(address, headers=CHINESE))


def test_the_reason_of_a_file_that_cannot_be_used_is_chinese(library: "Library") -> None:
    from mfcc_assets.audio.tags import Tags
    from mfcc_assets.storage.sql.records import Reject
    from mfcc_assets_tests.web.clients import client_of
    from mfcc_assets_tests.web.library.conftest import add_rows

    (track,) = add_rows(library, ("a.mp3", Tags(title="T")))
    library.catalogue.record_reject(Reject(track, "soundtracks", "a.mp3", "silent", "it is silent"), run_id="run")

    page = client_of(library).get("/health", headers=CHINESE)
    assert "这个文件没有声音。" in page.text
    _assert_chinese(library, page)


def test_pages_of_an_upload_are_chinese(ten_tracks: "Library", pages: "FlaskClient", tmp_path: "Path") -> None:
    from mfcc_assets_tests.audio_samples import write_music
    from mfcc_assets_tests.upload_steps import answer_uploads
    from mfcc_assets_tests.web.uploads.answered import sent

    song = write_music(tmp_path / "sent.flac", 3.0, seed=77).read_bytes()
    upload = sent(pages, song)
    base = f"/uploads/{upload}"

    def check(address: str) -> "TestResponse":
        response = pages.get(address, headers=CHINESE)
        assert response.status_code == 200, address
        _assert_chinese(ten_tracks, response, "song.flac", "song")
        return response

    check(base)
    answer_uploads(ten_tracks, [upload])
    why = re.search(r'href="([^"]+/why/[0-9a-f]+)"', check(base).text)
    assert why is not None
    check(why[1])
    check("/")
    link = pages.post(f"{base}/share", headers=CHINESE)
    _assert_chinese(ten_tracks, link, "song.flac")
    shared = re.search(r'value="[^"]*(/shared/[^"]+)"', link.text)
    assert shared is not None
    check(shared[1])


def test_an_upload_without_an_answer_says_so_in_chinese(
    ten_tracks: "Library", pages: "FlaskClient", tmp_path: "Path"
) -> None:
    from mfcc_assets_tests.audio_samples import write_music
    from mfcc_assets_tests.web.uploads.answered import sent

    upload = sent(pages, write_music(tmp_path / "short.flac", 0.2, seed=5).read_bytes(), "short.flac")

    page = pages.get(f"/uploads/{upload}", headers=CHINESE)
    assert "没有结果" in page.text
    _assert_chinese(ten_tracks, page, "short.flac")
