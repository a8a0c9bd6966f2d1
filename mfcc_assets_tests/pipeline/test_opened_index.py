"""An index that is kept open between answers."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from unittest.mock import Mock

import pytest

from mfcc_assets.errors import NoPublishedIndex, StoreError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.opened_index import OpenedIndex, PublishedIndex, published_index
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets_tests.ranked_library import add_tracks, publish


def test_the_published_index_stays_open_until_another_is_published(library: Library) -> None:
    add_tracks(library, *range(4))
    first, _ = publish(library)
    published = PublishedIndex(library, check_seconds=0)
    opened = published.opened()
    assert opened.index.version == first.version
    assert published.opened() is opened

    add_tracks(library, 4)
    second, _ = publish(library)
    assert published.opened().index.version == second.version
    assert opened.index.version == first.version, "an answer that is under way keeps its index"


def test_the_version_is_not_asked_for_at_every_answer(library: Library) -> None:
    add_tracks(library, *range(4))
    first, _ = publish(library)
    published = PublishedIndex(library, check_seconds=3600)
    published.opened()
    add_tracks(library, 4)
    publish(library)
    assert published.opened().index.version == first.version


def test_all_threads_share_what_is_opened(library: Library) -> None:
    add_tracks(library, *range(4))
    publish(library)
    published = PublishedIndex(library)
    with ThreadPoolExecutor(8) as pool:
        opened = set(pool.map(lambda _: published.opened(), range(40)))
        assert len(opened) == 1
        (only,) = opened
        assert len({id(order) for order in pool.map(lambda _: only.order, range(40))}) == 1


def test_while_one_thread_asks_for_the_version_the_others_get_the_former_index(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_tracks(library, *range(4))
    publish(library)
    published = PublishedIndex(library, check_seconds=0)
    opened = published.opened()
    asked, answered, ask = Event(), Event(), library.indexes.published

    def slow() -> LibraryIndex:
        asked.set()
        assert answered.wait(30)
        return ask()

    monkeypatch.setattr(library.indexes, "published", slow)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(published.opened)
        try:
            assert asked.wait(30)
            assert published.opened() is opened
        finally:
            answered.set()
        assert asking.result(30) is opened


def test_the_former_index_answers_while_the_store_is_away(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    add_tracks(library, *range(4))
    publish(library)
    published = PublishedIndex(library, check_seconds=0)
    opened = published.opened()
    asked = Mock(side_effect=StoreError("it cannot be reached", subject="the store", remedy="Wait"))
    monkeypatch.setattr(library.indexes, "published", asked)

    assert published.opened() is opened
    assert asked.call_count == 1
    with pytest.raises(StoreError):
        PublishedIndex(library).opened()


def test_a_former_index_is_opened_once(library: Library) -> None:
    add_tracks(library, *range(4))
    first, _ = publish(library)
    add_tracks(library, 4)
    second, _ = publish(library)
    published = PublishedIndex(library)

    former = published.of_version(first.version)
    assert former is not None
    assert former.index.version == first.version
    assert published.of_version(first.version) is former
    assert published.of_version(second.version) is published.opened()
    assert published.of_version("0" * 16) is None


def test_a_former_index_that_was_deleted_is_gone_though_it_was_open(library: Library) -> None:
    add_tracks(library, *range(4))
    first, _ = publish(library)
    add_tracks(library, 4)
    publish(library)
    published = PublishedIndex(library)
    assert published.of_version(first.version) is not None

    library.indexes.delete(first.version)

    assert published.of_version(first.version) is None


def test_without_an_index_there_is_nothing_to_open(library: Library) -> None:
    with pytest.raises(NoPublishedIndex):
        PublishedIndex(library).opened()


def test_during_the_first_load_the_message_is_not_that_there_is_no_music(library: Library) -> None:
    with pytest.raises(NoPublishedIndex) as told:
        published_index(library)
    assert "mfcc add" in told.value.remedy
    add_tracks(library, 0)
    with pytest.raises(NoPublishedIndex, match="still being analysed") as told:
        published_index(library)
    assert "mfcc add" not in told.value.remedy


def test_an_opened_index_reads_nothing_more(library: Library) -> None:
    add_tracks(library, *range(20))
    index, _ = publish(library)
    opened = OpenedIndex(library, index)
    opened.load_all()
    for blob in list(library.blobs.list(CEPSTRA, f"indexes/{index.version}/attachments/")):
        library.blobs.delete(CEPSTRA, blob.name)

    assert opened.recordings.count == 20
    assert len(opened.pairs.distances) == 190
    assert opened.order([], set()) == []
    assert opened.recall is None
    assert list(library.blobs.list(CEPSTRA, f"indexes/{index.version}/attachments/")) == []
