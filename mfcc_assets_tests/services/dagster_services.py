"""Dagster's webserver and daemon over the workspace.yaml of the repository, for tests that need both."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from mfcc_assets.defs.launch import dagster_environment, prepare_dagster_home
from mfcc_assets.settings import Settings
from mfcc_assets_tests.services.processes import PATIENCE_SECONDS, free_port, running_server


@dataclass(frozen=True)
class DagsterServices:
    """A running Dagster that writes a log."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def query(self, graphql: str) -> dict[str, Any]:
        """Return the result of a GraphQL query. An error fails the test."""
        body = json.dumps({"query": graphql}).encode()
        request = Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=30) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until a condition holds that the services bring about."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert self.process.poll() is None, f"Dagster ended:\n{self.log.read_text()[-4000:]}"
            assert time.monotonic() < deadline, f"timed out, the log ends with:\n{self.log.read_text()[-4000:]}"
            time.sleep(0.2)


@contextmanager
def dagster_services(settings: Settings, folder: Path) -> Iterator[DagsterServices]:
    """Start both on a free port, and stop them and all their subprocesses at the end."""
    prepare_dagster_home(settings)
    port, log = free_port(), folder / "dagster.log"
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    environment = dagster_environment(settings)
    with running_server(command, log, lambda: _serves(url), environment=environment) as process:
        yield DagsterServices(url, log, process)


def _serves(url: str) -> bool:
    try:
        with urlopen(f"{url}/server_info", timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, ConnectionError, TimeoutError):
        return False
