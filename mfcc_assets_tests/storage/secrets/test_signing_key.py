"""The key that signs links and makes upload ids."""

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.storage.secrets.signing_key import local_signing_key


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    key = local_signing_key(tmp_path / "new folder")
    assert len(key) == 32
    assert local_signing_key(tmp_path / "new folder") == key
    (path,) = (tmp_path / "new folder").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_folders_have_different_keys(tmp_path):
    assert local_signing_key(tmp_path / "a") != local_signing_key(tmp_path / "b")


def test_concurrent_processes_get_one_key(tmp_path):
    ask = "import sys; from pathlib import Path; from mfcc_assets.storage.secrets.signing_key import local_signing_key;"
    ask += "sys.stdin.read(); print(local_signing_key(Path(sys.argv[1])).hex())"
    racers = [
        subprocess.Popen([sys.executable, "-c", ask, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    keys = {racer.communicate()[0].decode().strip() for racer in racers}
    assert keys == {local_signing_key(tmp_path).hex()}
    assert len(list(tmp_path.iterdir())) == 1


def test_concurrent_threads_get_one_key(tmp_path):
    for attempt in range(10):
        folder, start = tmp_path / str(attempt), threading.Barrier(4)
        keys: set[bytes] = set()

        def ask(folder: Path = folder, keys: set[bytes] = keys, start: threading.Barrier = start) -> None:
            start.wait()
            keys.add(local_signing_key(folder))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(keys) == 1
        assert [path.name for path in folder.iterdir()] == ["signing.key"]


def test_a_damaged_key_is_reported_without_showing_it(tmp_path):
    (tmp_path / "signing.key").write_bytes(b"swordfish")
    with pytest.raises(StoreError, match="32 bytes, this file 9") as refused:
        local_signing_key(tmp_path)
    assert "swordfish" not in str(refused.value)


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be read or made"):
        local_signing_key(tmp_path / "file")
