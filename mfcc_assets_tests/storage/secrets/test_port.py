"""What every `SecretSource` promises, and the key that signs links."""

import logging
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mfcc_assets.errors import SecretNotFound, StoreError
from mfcc_assets.storage.secrets.cached import CachedSecrets
from mfcc_assets.storage.secrets.environment import EnvironmentSecrets
from mfcc_assets.storage.secrets.key_vault import KeyVaultSecrets
from mfcc_assets.storage.secrets.port import SecretSource
from mfcc_assets.storage.secrets.signing_key import signing_key
from mfcc_assets_tests.services.key_vault import VaultDouble

ADAPTERS = ["environment_secrets", "filled_vault", "cached_secrets"]
"""Fixtures of sources with one secret: ``audd-token`` is "swordfish"."""


@pytest.fixture
def environment_secrets() -> EnvironmentSecrets:
    return EnvironmentSecrets({"MFCC_SECRET_AUDD_TOKEN": "swordfish", "MFCC_SECRET_EMPTY": "", "HOME": "/root"})


@pytest.fixture
def filled_vault(vault: VaultDouble, vault_secrets: KeyVaultSecrets) -> KeyVaultSecrets:
    vault.set("audd-token", "swordfish")
    return vault_secrets


@pytest.fixture
def cached_secrets(filled_vault: KeyVaultSecrets) -> CachedSecrets:
    return CachedSecrets(filled_vault, 300)


@pytest.fixture(params=ADAPTERS)
def secret_source(request: pytest.FixtureRequest) -> SecretSource:
    return request.getfixturevalue(request.param)


class TestEverySource:
    def test_a_secret_is_read_by_its_name(self, secret_source):
        assert secret_source.get("audd-token") == "swordfish"

    def test_a_missing_secret_is_not_found(self, secret_source):
        with pytest.raises(SecretNotFound, match="acrcloud-key"):
            secret_source.get("acrcloud-key")

    @pytest.mark.parametrize("name", ["", "AUDD", "audd_token", "audd--token", "-audd", "audd token", "audd\n"])
    def test_a_name_that_key_vault_would_refuse_is_refused(self, secret_source, name):
        with pytest.raises(ValueError, match="cannot be the name"):
            secret_source.get(name)

    def test_no_representation_shows_a_secret(self, secret_source):
        with pytest.raises(SecretNotFound) as refused:
            secret_source.get("other")
        assert "swordfish" not in f"{secret_source!r} {secret_source} {refused.value!r} {refused.value}"


class TestEnvironment:
    def test_the_remedy_names_the_variable(self, environment_secrets):
        with pytest.raises(SecretNotFound) as refused:
            environment_secrets.get("acrcloud-key")
        assert refused.value.remedy == "Set MFCC_SECRET_ACRCLOUD_KEY"

    def test_an_empty_variable_is_not_a_secret(self, environment_secrets):
        with pytest.raises(SecretNotFound):
            environment_secrets.get("empty")


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
            raise SecretNotFound("It is gone", subject=name)
        return self.secret


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class TestCache:
    @pytest.fixture
    def source(self):
        return Source()

    @pytest.fixture
    def clock(self):
        return Clock()

    @pytest.fixture
    def cached(self, source, clock):
        return CachedSecrets(source, 300, clock=clock)

    def test_a_secret_is_requested_once_within_its_lifetime(self, cached, source, clock):
        assert {cached.get("name") for _ in range(5)} == {"swordfish"}
        clock.now += 299
        cached.get("name")
        assert source.asked == 1

    def test_a_rotated_secret_takes_effect_after_the_lifetime(self, cached, source, clock):
        cached.get("name")
        source.secret = "new"
        assert cached.get("name") == "swordfish"
        clock.now += 300
        assert cached.get("name") == "new"

    def test_a_lifetime_of_zero_always_asks_the_source(self, source):
        uncached = CachedSecrets(source, 0)
        assert (uncached.get("name"), uncached.get("name"), source.asked) == ("swordfish", "swordfish", 2)

    def test_the_last_secret_is_used_with_a_warning_while_the_source_is_away(self, cached, source, clock, caplog):
        cached.get("name")
        source.away = True
        clock.now += 300
        with caplog.at_level(logging.WARNING):
            assert cached.get("name") == "swordfish"
        assert "The last known value of secret name is used: Key Vault: it cannot be reached" in caplog.text
        assert "swordfish" not in caplog.text

    def test_a_source_that_is_away_is_not_asked_at_each_call(self, cached, source, clock):
        cached.get("name")
        source.away = True
        clock.now += 300
        for _ in range(5):
            cached.get("name")
        assert source.asked == 2
        clock.now += 30
        source.away, source.secret = False, "new"
        assert cached.get("name") == "new"

    def test_a_secret_is_not_used_an_hour_after_its_lifetime(self, cached, source, clock):
        cached.get("name")
        source.away = True
        clock.now += 300 + 3599
        assert cached.get("name") == "swordfish"
        clock.now += 30
        with pytest.raises(StoreError, match="cannot be reached"):
            cached.get("name")

    def test_a_deleted_secret_is_dropped_at_once(self, cached, source, clock):
        cached.get("name")
        source.secret = None
        clock.now += 300
        with pytest.raises(SecretNotFound):
            cached.get("name")
        source.away = True
        with pytest.raises(StoreError, match="cannot be reached"):
            cached.get("name")

    def test_a_secret_that_was_not_found_is_requested_again(self, cached, source):
        source.secret = None
        with pytest.raises(SecretNotFound):
            cached.get("name")
        source.secret = "set at last"
        assert cached.get("name") == "set at last"

    def test_threads_that_need_the_same_secret_cause_one_request(self, cached, source):
        start = threading.Barrier(8)

        def ask() -> str:
            start.wait()
            return cached.get("name")

        with ThreadPoolExecutor(8) as threads:
            answers = [threads.submit(ask) for _ in range(8)]
        assert {answer.result() for answer in answers} == {"swordfish"}
        assert source.asked == 1

    def test_a_slow_request_does_not_delay_other_secrets(self):
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

    def test_no_representation_shows_a_cached_secret(self, cached):
        cached.get("name")
        assert "swordfish" not in f"{cached!r} {vars(cached)}"


class TestSigningKey:
    def test_a_key_is_made_once_and_only_its_owner_may_read_it(self, tmp_path):
        key = signing_key(tmp_path / "new folder")
        assert len(key) == 32
        assert signing_key(tmp_path / "new folder") == key
        (path,) = (tmp_path / "new folder").iterdir()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_two_folders_have_different_keys(self, tmp_path):
        assert signing_key(tmp_path / "a") != signing_key(tmp_path / "b")

    def test_concurrent_processes_get_one_key(self, tmp_path):
        ask = "import sys; from pathlib import Path; from mfcc_assets.storage.secrets.port import signing_key;"
        ask += "sys.stdin.read(); print(signing_key(Path(sys.argv[1])).hex())"
        racers = [
            subprocess.Popen([sys.executable, "-c", ask, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(3)
        ]
        keys = {racer.communicate()[0] for racer in racers}
        assert len(keys) == 1
        assert len(list(tmp_path.iterdir())) == 1

    def test_concurrent_threads_get_one_key(self, tmp_path):
        for attempt in range(10):
            folder, keys, start = tmp_path / str(attempt), set(), threading.Barrier(4)

            def ask(folder: Path = folder, keys: set[bytes] = keys, start: threading.Barrier = start) -> None:
                start.wait()
                keys.add(signing_key(folder))

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(keys) == 1
            assert [path.name for path in folder.iterdir()] == ["signing.key"]

    def test_a_damaged_key_is_reported_without_showing_it(self, tmp_path):
        (tmp_path / "signing.key").write_bytes(b"swordfish")
        with pytest.raises(StoreError, match="32 bytes, this file 9") as refused:
            signing_key(tmp_path)
        assert "swordfish" not in str(refused.value)

    def test_a_folder_that_cannot_be_made_is_a_store_error(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(StoreError, match="cannot be read or made"):
            signing_key(tmp_path / "file")
