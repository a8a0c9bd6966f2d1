"""Secrets that are cached for a while."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mfcc_assets.errors import SecretNotFound, StoreError
from mfcc_assets.storage.secrets.cached import CachedSecrets
from mfcc_assets.storage.secrets.port import SecretSource


class Source(SecretSource):
    """A source whose only secret can change, disappear, or fail."""

    def __init__(self) -> None:
        self.secret: str | None = "swordfish"
        self.away = False
        self.asked = 0

    def get(self, name: str) -> str:
        self.asked += 1
        if self.away:
            raise StoreError("it cannot be reached", subject="Key Vault")
        if self.secret is None:
            raise SecretNotFound("it is gone", subject=name)
        return self.secret


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cached(source, clock):
    return CachedSecrets(source, 300, clock=clock)


def test_a_secret_is_requested_once_within_its_lifetime(cached, source, clock):
    assert {cached.get("name") for _ in range(5)} == {"swordfish"}
    clock.now += 299
    cached.get("name")
    assert source.asked == 1


def test_a_rotated_secret_takes_effect_after_the_lifetime(cached, source, clock):
    cached.get("name")
    source.secret = "new"
    assert cached.get("name") == "swordfish"
    clock.now += 300
    assert cached.get("name") == "new"


def test_a_lifetime_of_zero_always_asks_the_source(source):
    uncached = CachedSecrets(source, 0)
    assert (uncached.get("name"), uncached.get("name"), source.asked) == ("swordfish", "swordfish", 2)


def test_the_last_secret_is_used_with_a_warning_while_the_source_is_away(cached, source, clock, caplog):
    cached.get("name")
    source.away = True
    clock.now += 300
    with caplog.at_level(logging.WARNING):
        assert cached.get("name") == "swordfish"
    assert "The last known value of secret name is used: Key Vault: it cannot be reached" in caplog.text
    assert "swordfish" not in caplog.text


def test_a_source_that_is_away_is_not_asked_at_each_call(cached, source, clock):
    cached.get("name")
    source.away = True
    clock.now += 300
    for _ in range(5):
        cached.get("name")
    assert source.asked == 2
    clock.now += 30
    source.away, source.secret = False, "new"
    assert cached.get("name") == "new"


def test_a_secret_is_not_used_an_hour_after_its_lifetime(cached, source, clock):
    cached.get("name")
    source.away = True
    clock.now += 300 + 3599
    assert cached.get("name") == "swordfish"
    clock.now += 30
    with pytest.raises(StoreError, match="cannot be reached"):
        cached.get("name")


def test_a_deleted_secret_is_dropped_at_once(cached, source, clock):
    cached.get("name")
    source.secret = None
    clock.now += 300
    with pytest.raises(SecretNotFound):
        cached.get("name")
    source.away = True
    with pytest.raises(StoreError, match="cannot be reached"):
        cached.get("name")


def test_a_secret_that_was_not_found_is_requested_again(cached, source):
    source.secret = None
    with pytest.raises(SecretNotFound):
        cached.get("name")
    source.secret = "set at last"
    assert cached.get("name") == "set at last"


def test_threads_that_need_the_same_secret_cause_one_request(cached, source):
    start = threading.Barrier(8)

    def ask() -> str:
        start.wait()
        return cached.get("name")

    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(ask) for _ in range(8)]
    assert {answer.result() for answer in answers} == {"swordfish"}
    assert source.asked == 1


def test_a_slow_request_does_not_delay_other_secrets():
    asked, answered = threading.Event(), threading.Event()

    class Slow(SecretSource):
        def get(self, name: str) -> str:
            if name == "slow":
                asked.set()
                assert answered.wait(10)
            return name

    cached = CachedSecrets(Slow(), 300)
    with ThreadPoolExecutor(1) as thread:
        slow = thread.submit(cached.get, "slow")
        assert asked.wait(10)
        assert cached.get("quick") == "quick"
        answered.set()
        assert slow.result() == "slow"


def test_no_representation_shows_a_cached_secret(cached):
    cached.get("name")
    assert "swordfish" not in f"{cached!r} {vars(cached)}"
