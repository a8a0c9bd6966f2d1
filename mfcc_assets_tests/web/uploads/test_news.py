"""Tests of the news of uploads."""

import threading
import time
from collections.abc import Collection, Mapping
from contextlib import ExitStack

import pytest

from mfcc_assets.ids import UploadId
from mfcc_assets.storage.documents.port import Document
from mfcc_assets.web.uploads.news import GONE, News, Watch, news_of

A, B = UploadId("0a" * 16), UploadId("0b" * 16)
SECONDS = 0.05


def _news(tag: str, *, is_last: bool = False) -> News:
    return News(tag, "waiting", ("waiting",), "none", is_last)


class _Store:
    """Uploads and their news, with the requests for them."""

    def __init__(self) -> None:
        self.news: dict[UploadId, News] = {A: _news("1"), B: _news("1")}
        self.asked: list[set[UploadId]] = []

    def read(self, uploads: Collection[UploadId]) -> Mapping[UploadId, News]:
        self.asked.append(set(uploads))
        return {upload: self.news[upload] for upload in uploads if upload in self.news}


def _document(state: str, *reached: str, etag: str = "e", code: str = "") -> Document:
    failure = {"code": code, "reason": ""} if code else None
    return Document(A, {"state": state, "times": dict.fromkeys(reached, "…"), "failure": failure}, etag)


def test_news_come_when_something_changes_and_not_before() -> None:
    store = _Store()
    watch = Watch(store.read, SECONDS)
    with watch.watching(A):
        assert watch.wait(A, "", 5) == _news("1")
        assert watch.wait(A, "1", 4 * SECONDS) is None
        store.news[A] = _news("2")
        assert watch.wait(A, "1", 5) == _news("2")


def test_an_upload_that_is_deleted_is_gone() -> None:
    store = _Store()
    watch = Watch(store.read, SECONDS)
    with watch.watching(A):
        watch.wait(A, "", 5)
        del store.news[A]
        news = watch.wait(A, "1", 5)
    assert news is not None
    assert (news.state, news.is_last) == (GONE, True)


def test_many_who_watch_are_told_by_one_request_a_while() -> None:
    store, told = _Store(), []
    watch = Watch(store.read, 0.2)

    def listen(upload: UploadId) -> None:
        with watch.watching(upload):
            told.append(watch.wait(upload, "1", 10))

    listeners = [threading.Thread(target=listen, args=[upload]) for upload in [A, B] * 50]
    for listener in listeners:
        listener.start()
    time.sleep(0.5)
    before = len(store.asked)
    store.news.update({A: _news("2"), B: _news("2")})
    for listener in listeners:
        listener.join()
    assert told == [_news("2")] * 100
    assert len(store.asked) - before <= 4


def test_nobody_is_asked_when_nobody_watches() -> None:
    store = _Store()
    watch = Watch(store.read, SECONDS)
    with watch.watching(A):
        watch.wait(A, "", 5)
    time.sleep(3 * SECONDS)
    count = len(store.asked)
    time.sleep(5 * SECONDS)
    assert len(store.asked) == count
    with watch.watching(A):
        assert watch.wait(A, "", 5) == _news("1")


def test_who_hurries_does_not_wait_for_the_next_request() -> None:
    store = _Store()
    watch = Watch(store.read, 60)
    with watch.watching(A):
        watch.wait(A, "", 5)
        store.news[A] = _news("2")
        began = time.monotonic()
        watch.hurry()
        assert watch.wait(A, "1", 30) == _news("2")
        assert time.monotonic() - began < 10


def test_a_store_that_fails_for_a_while_ends_no_news() -> None:
    store, failures = _Store(), iter([True, True, False])

    def read(uploads: Collection[UploadId]) -> Mapping[UploadId, News]:
        if next(failures, False):
            raise RuntimeError("not now")
        return store.read(uploads)

    watch = Watch(read, SECONDS)
    with watch.watching(A):
        assert watch.wait(A, "", 10) == _news("1")


def test_watching_twice_and_leaving_once_still_watches() -> None:
    store = _Store()
    watch = Watch(store.read, SECONDS)
    with watch.watching(A), ExitStack() as other:
        other.enter_context(watch.watching(A))
        watch.wait(A, "", 5)
        other.close()
        store.news[A] = _news("2")
        assert watch.wait(A, "1", 5) == _news("2")


@pytest.mark.parametrize(
    ("document", "reached"),
    [
        (_document("waiting", "waiting"), ("waiting",)),
        (_document("recognised", "received", "recognised"), ("received", "recognised")),
        (_document("received", "received", "ranked"), ("received",)),
        (_document("ranked", "received", "recognised", "candidates", "ranked"),
         ("received", "recognised", "candidates", "ranked")),
    ],
)  # fmt: skip
def test_the_states_that_an_upload_has_reached_are_told_in_order(document: Document, reached: tuple[str, ...]) -> None:
    assert news_of(document, "none").reached == reached


@pytest.mark.parametrize(
    ("document", "is_last"),
    [
        (_document("candidates", "candidates"), False),
        (_document("ranked", "ranked"), True),
        (_document("failed", code="silent"), True),
        (_document("failed", code="no_index"), False),
    ],
)
def test_nothing_more_happens_after_an_answer_or_an_unusable_file(document: Document, is_last: bool) -> None:
    assert news_of(document, "none").is_last is is_last


def test_the_tag_changes_with_the_document_and_with_what_is_shown() -> None:
    tags = {news_of(_document("waiting", etag=etag), shown).tag for etag in ("1", "2") for shown in ("none", "preview")}
    assert len(tags) == 4
