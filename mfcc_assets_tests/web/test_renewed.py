"""Tests of what is kept for a while and then made anew."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from mfcc_assets.web.renewed import Renewed


def test_a_thing_is_kept_until_its_time_has_passed_or_its_version_is_another() -> None:
    kept: Renewed[str] = Renewed(3600)
    assert kept.get(1, lambda: "first") == "first"
    assert kept.get(1, lambda: "is not called") == "first"
    assert kept.get(2, lambda: "second") == "second"

    renewed: Renewed[str] = Renewed(0)
    assert [renewed.get(1, lambda text=text: text) for text in "ab"] == ["a", "b"]  # type: ignore[misc]


def test_while_one_thread_makes_it_anew_the_others_get_the_former_one() -> None:
    kept: Renewed[str] = Renewed(0)
    kept.get(1, lambda: "former")
    begun, go_on = Event(), Event()

    def make() -> str:
        begun.set()
        assert go_on.wait(30)
        return "new"

    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(kept.get, 2, make)
        try:
            assert begun.wait(30)
            assert kept.get(2, lambda: "is not called") == "former"
        finally:
            go_on.set()
        assert making.result(30) == "new"
