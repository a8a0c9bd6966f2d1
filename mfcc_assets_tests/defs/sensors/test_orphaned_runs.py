"""The sensor of orphaned runs: it fails the runs whose process is gone, and no others."""

import json
import os
import platform
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionResult
from dagster._serdes import serialize_value

from mfcc_assets.defs.launch import HOST_TAG, command_line_lock, dagster_environment
from mfcc_assets.defs.private.code_server import CODE_SERVER_TAG
from mfcc_assets.defs.sensors import orphaned_runs
from mfcc_assets.defs.sensors.orphaned_runs import PARENT_TAG, is_orphaned, orphaned_runs_sensor
from mfcc_assets.settings import Settings
from mfcc_assets_tests.runs import create_run
from mfcc_assets_tests.services.processes import accepts_connections, free_port, running_server

RUN, HOME = "a run", Path("/no home")
LOSES_ITS_PROCESS = (
    "import os, pathlib, signal, sys\n"
    "from mfcc_assets.defs.run_locks import living\n"
    "with living(pathlib.Path(sys.argv[1]), sys.argv[2]):\n"
    "    os.kill(os.getpid(), signal.SIGKILL)\n"
)


def test_a_run_is_orphaned_if_nobody_listens_on_the_socket_of_its_code_server(short_path: Path) -> None:
    tags = {CODE_SERVER_TAG: f'{{"host": "localhost", "socket": "{short_path}"}}'}
    assert is_orphaned(RUN, tags, HOME)

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(short_path))
        server.listen()
        assert not is_orphaned(RUN, tags, HOME)
    assert is_orphaned(RUN, tags, HOME), "the file of the socket remains, but nobody listens"


def test_a_run_is_orphaned_if_the_code_server_on_its_port_does_not_know_it(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    tags = {CODE_SERVER_TAG: json.dumps({"host": "127.0.0.1", "port": port})}
    assert not is_orphaned(RUN, tags, HOME), "a server that does not answer may only be restarting"

    command = [sys.executable, "-m", "dagster", "api", "grpc", "-h", "127.0.0.1", "-p", str(port)]
    with running_server(
        [*command, "-m", "mfcc_assets.definitions"],
        tmp_path / "code server.log",
        lambda: accepts_connections(port),
        environment=dagster_environment(settings),
    ):
        assert is_orphaned(RUN, tags, HOME)
        own = serialize_value(CanCancelExecutionResult(can_cancel=True))
        monkeypatch.setattr(DagsterGrpcClient, "can_cancel_execution", lambda *_, **__: own)
        assert not is_orphaned(RUN, tags, HOME)


def test_a_run_of_the_command_line_is_orphaned_if_its_lock_on_this_machine_is_free(
    settings: Settings,
) -> None:
    tags, home = {HOST_TAG: platform.node()}, settings.dagster_home
    with command_line_lock(settings) as lock:
        run = Path(lock.name).stem
        assert not is_orphaned(run, tags, home)
    assert is_orphaned(run, tags, home)
    assert not is_orphaned(run, {HOST_TAG: "another machine"}, home)


def test_a_run_that_executes_a_run_of_the_command_line_again_belongs_to_its_code_server(settings: Settings) -> None:
    tags = {HOST_TAG: platform.node(), PARENT_TAG: RUN}
    assert not is_orphaned("another run", tags, settings.dagster_home)


def test_a_run_that_no_code_server_started_is_not_orphaned() -> None:
    assert not is_orphaned(RUN, {}, HOME)


def test_the_sensor_fails_orphaned_runs_and_no_others(instance: dg.DagsterInstance) -> None:
    orphaned = create_run(instance, "library", dg.DagsterRunStatus.STARTED, {CODE_SERVER_TAG: '{"socket": "/gone"}'})
    other = create_run(instance, "library", dg.DagsterRunStatus.STARTED, {})

    with dg.build_sensor_context(instance) as context:
        orphaned_runs_sensor.evaluate_tick(context)

    assert {run.run_id: run.status for run in instance.get_runs()} == {
        orphaned.run_id: dg.DagsterRunStatus.FAILURE,
        other.run_id: dg.DagsterRunStatus.STARTED,
    }


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING])
def test_a_run_that_was_killed_while_it_started_or_stopped_is_failed_after_a_moment(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, status: dg.DagsterRunStatus
) -> None:
    killed = create_run(instance, "uploads", status, {CODE_SERVER_TAG: '{"socket": "/gone"}'})

    def status_after_a_tick() -> dg.DagsterRunStatus:
        with dg.build_sensor_context(instance) as context:
            orphaned_runs_sensor.evaluate_tick(context)
        return instance.get_runs()[0].status

    assert status_after_a_tick() == status, "its code server may not know it yet"
    monkeypatch.setattr(orphaned_runs, "HANDED_OVER_WITHIN", timedelta(0))
    assert status_after_a_tick() == dg.DagsterRunStatus.FAILURE
    assert instance.get_runs()[0].run_id == killed.run_id


@pytest.fixture
def short_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a path that fits into the 108 bytes of a socket's address."""
    monkeypatch.chdir(tmp_path)
    return Path(os.curdir) / "socket"


def test_a_run_of_any_command_is_failed_after_its_process_was_killed(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MFCC_HOME", str(settings.home))
    killed, never_begun = (create_run(instance, "__ASSET_JOB", dg.DagsterRunStatus.STARTED, {}) for _ in range(2))
    subprocess.run([sys.executable, "-c", LOSES_ITS_PROCESS, str(settings.dagster_home), killed.run_id], check=False)

    with dg.build_sensor_context(instance) as context:
        orphaned_runs_sensor.evaluate_tick(context)

    statuses = [run.status for run in (instance.get_run_by_id(run.run_id) for run in (killed, never_begun)) if run]
    assert statuses == [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED]
