"""What every `SecretSource` promises, and the key that signs links."""

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mfcc_assets.core.errors import SecretNotFound, StoreError
from mfcc_assets.stores.secrets import EnvironmentSecrets, SecretSource, signing_key

ADAPTERS = ["environment_secrets"]
"""Each is a source with one secret, ``audd-token``, that is "swordfish"."""


@pytest.fixture
def environment_secrets() -> EnvironmentSecrets:
    return EnvironmentSecrets({"MFCC_SECRET_AUDD_TOKEN": "swordfish", "MFCC_SECRET_EMPTY": "", "HOME": "/root"})


@pytest.fixture(params=ADAPTERS)
def secret_source(request: pytest.FixtureRequest) -> SecretSource:
    return request.getfixturevalue(request.param)


class TestEverySource:
    def test_a_secret_is_got_by_its_name(self, secret_source):
        assert secret_source.get("audd-token") == "swordfish"

    def test_an_absent_secret_is_not_found(self, secret_source):
        with pytest.raises(SecretNotFound, match="acrcloud-key"):
            secret_source.get("acrcloud-key")

    @pytest.mark.parametrize("name", ["", "AUDD", "audd_token", "audd--token", "-audd", "audd token", "audd\n"])
    def test_a_name_that_key_vault_would_refuse_is_refused(self, secret_source, name):
        with pytest.raises(ValueError, match="cannot be the name"):
            secret_source.get(name)

    def test_secrets_do_not_show(self, secret_source):
        with pytest.raises(SecretNotFound) as refused:
            secret_source.get("other")
        assert "swordfish" not in f"{secret_source!r} {secret_source} {refused.value!r} {refused.value}"


class TestEnvironment:
    def test_the_remedy_names_the_variable(self, environment_secrets):
        with pytest.raises(SecretNotFound) as refused:
            environment_secrets.get("acrcloud-key")
        assert refused.value.remedy == "Set MFCC_SECRET_ACRCLOUD_KEY"

    def test_an_empty_variable_is_no_secret(self, environment_secrets):
        with pytest.raises(SecretNotFound):
            environment_secrets.get("empty")


class TestSigningKey:
    def test_a_key_is_made_once_and_kept_from_others(self, tmp_path):
        key = signing_key(tmp_path / "new folder")
        assert len(key) == 32
        assert signing_key(tmp_path / "new folder") == key
        (path,) = (tmp_path / "new folder").iterdir()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_two_folders_have_two_keys(self, tmp_path):
        assert signing_key(tmp_path / "a") != signing_key(tmp_path / "b")

    def test_processes_that_race_get_one_key(self, tmp_path):
        ask = "import sys; from pathlib import Path; from mfcc_assets.stores.secrets import signing_key;"
        ask += "sys.stdin.read(); print(signing_key(Path(sys.argv[1])).hex())"
        racers = [
            subprocess.Popen([sys.executable, "-c", ask, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(3)
        ]
        keys = {racer.communicate()[0] for racer in racers}
        assert len(keys) == 1
        assert len(list(tmp_path.iterdir())) == 1

    def test_threads_that_race_get_one_key(self, tmp_path):
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

    def test_a_folder_that_cannot_be_made_says_so(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(StoreError, match="cannot be read or made"):
            signing_key(tmp_path / "file")
