"""The stores of a library are opened once, closed together, and opened again on their next use."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets_tests.storage.sql.table_rows import observe, observed


class Closing:
    """A store that records when it is closed."""

    def __init__(self, name: str, closed: list[str], error: Exception | None = None) -> None:
        self.name, self.closed, self.error = name, closed, error

    def close(self) -> None:
        self.closed.append(self.name)
        if self.error is not None:
            raise self.error


def test_a_closed_library_opens_its_stores_again_on_their_next_use(library):
    observe(library.catalogue, observed("a.mp3"))
    former = library.database, library.catalogue, library.blobs, library.rankings
    library.close()
    assert [track.blob_name for track in library.catalogue.soundtracks()] == ["a.mp3"]
    present = library.database, library.catalogue, library.blobs, library.rankings
    assert all(old is not new for old, new in zip(former, present, strict=True))


def test_a_store_that_is_still_held_works_after_the_library_is_closed(library):
    catalogue = library.catalogue
    library.close()
    assert catalogue.soundtracks() == []


def test_several_threads_open_a_store_only_once(library):
    together = threading.Barrier(8)

    def open_store(_: int) -> object:
        together.wait()
        return library.catalogue

    with ThreadPoolExecutor(8) as threads:
        assert len(set(map(id, threads.map(open_store, range(8))))) == 1


def test_threads_may_use_a_library_while_another_closes_it(library):
    observe(library.catalogue, observed("a.mp3"))

    def use(number: int) -> int:
        if number % 4 == 0:
            library.close()
        return len(library.catalogue.soundtracks())

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(use, range(64))) == {1}


def test_the_store_that_was_opened_last_is_closed_first(library):
    closed: list[str] = []
    library.opened |= {name: Closing(name, closed) for name in ("secrets", "blobs", "database")}
    library.close()
    assert closed == ["database", "blobs", "secrets"]


def test_an_error_while_closing_does_not_keep_other_stores_open(library):
    closed: list[str] = []
    library.opened |= {"secrets": Closing("secrets", closed), "blobs": Closing("blobs", closed, StoreError("away"))}
    with pytest.raises(StoreError, match="away"):
        library.close()
    assert closed == ["blobs", "secrets"]
    assert library.opened == {}


def test_each_use_has_a_key_of_its_own_that_stays(library):
    keys = [library.key_for("session"), library.key_for("login"), library.signing_key]

    assert len(set(keys)) == 3
    assert library.key_for("session") == keys[0]
    assert len(keys[0]) == 32
