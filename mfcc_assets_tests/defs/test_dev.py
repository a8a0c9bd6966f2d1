"""Tests of `make dev`: Dagster and the pages, side by side."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from mfcc_assets.settings import Settings
from mfcc_assets_tests.services.processes import PATIENCE_SECONDS, REPOSITORY, accepts_connections, free_port


@contextmanager
def _started(settings: Settings, log: Path, port: object, web_port: object) -> Iterator[subprocess.Popen[bytes]]:
    ports = ["--port", str(port), "--web-port", str(web_port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "mfcc_assets.defs.dev", *ports],
            cwd=REPOSITORY,
            env={**os.environ, "MFCC_HOME": str(settings.folder)},
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            yield process
        except BaseException:
            # Its children would live on, and take time from all later tests. If the test succeeds, there must be none.
            for each in _processes_of(settings.folder):
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
            raise
        finally:
            process.kill()


def _processes_of(home: Path) -> dict[int, bytes]:
    """Return the process ids and the commands of all living processes that work on the library in a home."""
    return {
        int(folder.name): _read(folder / "cmdline")
        for folder in Path("/proc").glob("[0-9]*")
        if int(folder.name) != os.getpid() and f"MFCC_HOME={home}\0".encode() in _read(folder / "environ")
    }


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_start_and_end_together_and_leave_no_process(
    settings: Settings, tmp_path: Path, number: signal.Signals
) -> None:
    port, web_port, log = free_port(), free_port(), tmp_path / "log"
    with _started(settings, log, port, web_port) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (accepts_connections(port) and accepts_connections(web_port)):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        with urlopen(f"http://127.0.0.1:{web_port}/healthz", timeout=30) as page:
            assert page.read() == b"alive"
        processes = _processes_of(settings.folder)
        assert any(b"dagster._daemon" in command for command in processes.values())
        assert f"The pages are at http://127.0.0.1:{web_port}." in log.read_text()

        process.send_signal(number)

        assert process.wait(timeout=60) == 128 + number
    assert _processes_of(settings.folder) == {}
    assert "Traceback" not in log.read_text()


def test_the_pages_link_to_the_runs_in_the_ui(settings: Settings, tmp_path: Path) -> None:
    port, web_port = free_port(), free_port()
    with _started(settings, tmp_path / "log", port, web_port) as process:
        while not accepts_connections(web_port):
            assert process.poll() is None
            time.sleep(0.1)
        environments = [_read(path) for path in Path("/proc").glob("[0-9]*/environ")]
        of_children = [each for each in environments if f"MFCC_HOME={settings.folder}\0".encode() in each]
        process.terminate()
        process.wait(timeout=60)

    assert any(f"MFCC_DAGSTER_URL=http://127.0.0.1:{port}\0".encode() in each for each in of_children)


def test_if_the_pages_cannot_start_dagster_ends_too(settings: Settings, tmp_path: Path) -> None:
    web_port, log = free_port(), tmp_path / "log"
    with (
        socket.create_server(("127.0.0.1", web_port)),
        _started(settings, log, free_port(), web_port) as process,
    ):
        assert process.wait(timeout=120) == 1

    assert f"127.0.0.1:{web_port}: the pages cannot be served there" in log.read_text()
    assert _processes_of(settings.folder) == {}


@pytest.mark.parametrize(("port", "web_port"), [("99999", "8000"), ("0", "8000"), ("a", "8000"), ("3000", "-1")])
def test_a_bad_port_is_told_in_one_sentence(settings: Settings, tmp_path: Path, port: str, web_port: str) -> None:
    log = tmp_path / "log"
    with _started(settings, log, port, web_port) as process:
        assert process.wait(timeout=60) == 1
    (told,) = log.read_text().splitlines()
    assert "must be a number from 1 to 65535" in told
    assert ("WEB_PORT=…" in told) == (port == "3000")


def test_a_used_port_of_the_ui_is_told_before_anything_starts(settings: Settings, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    with socket.create_server(("127.0.0.1", port)), _started(settings, log, port, free_port()) as process:
        assert process.wait(timeout=60) == 1
    (told,) = log.read_text().splitlines()
    assert told.startswith(f"127.0.0.1:{port}: Dagster's UI cannot be served there (")
    assert _processes_of(settings.folder) == {}


def test_the_ui_and_the_pages_need_two_ports(settings: Settings, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    with _started(settings, log, port, port) as process:
        assert process.wait(timeout=60) == 1
    assert "cannot have the same port" in log.read_text()
