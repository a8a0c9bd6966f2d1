"""Processes of Dagster that the package starts."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.defs.launch import (
    check_succeeded,
    command_line_lock,
    dagster_environment,
    prepare_dagster_home,
    run_log,
    running,
    running_library_job,
)
from mfcc_assets.defs.private.event_log import OpenEventLog
from mfcc_assets.defs.sensors.orphaned_runs import is_orphaned
from mfcc_assets.errors import RunFailed
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings

STARTER_LIBRARY = Path(__file__).parents[2] / "mfcc_assets" / "demo" / "library"
STARTED = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])


def dagster_of(settings: Settings) -> dg.DagsterInstance:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", str(prepare_dagster_home(settings)))
        return dg.DagsterInstance.get()


def test_the_dagster_of_a_library_retries_and_monitors_and_limits_runs_and_sends_no_telemetry(
    settings: Settings,
) -> None:
    with dagster_of(settings) as dagster:
        concurrency = dagster.get_concurrency_config()
        queue, pools = concurrency.run_queue_config, concurrency.pool_config

        assert not dagster.telemetry_enabled
        assert dagster.run_retries_enabled
        assert dagster.run_monitoring_enabled
        assert queue is not None
        assert pools.pool_granularity is not None
        assert (pools.pool_granularity.value, pools.default_pool_limit) == ("run", 1)
        assert queue.max_concurrent_runs > 5, "uploads must be answered beside a run over the library"


def test_changed_settings_of_dagster_are_kept(settings: Settings) -> None:
    configuration = prepare_dagster_home(settings) / "dagster.yaml"
    configuration.write_text("telemetry: {enabled: true}\n")

    prepare_dagster_home(settings)

    assert configuration.read_text() == "telemetry: {enabled: true}\n"


def test_settings_of_an_older_version_that_nobody_changed_are_replaced(settings: Settings) -> None:
    configuration = prepare_dagster_home(settings) / "dagster.yaml"
    present = configuration.read_bytes()
    written = configuration.with_name(".dagster.yaml.written")

    configuration.write_bytes(b"telemetry: {enabled: false}\n")
    written.write_text(hashlib.sha256(configuration.read_bytes()).hexdigest()[:16])
    prepare_dagster_home(settings)

    assert configuration.read_bytes() == present


def test_a_dagster_home_of_an_older_version_finds_the_moved_event_log(settings: Settings) -> None:
    configuration = prepare_dagster_home(settings) / "dagster.yaml"
    present = configuration.read_text()
    former = present.replace("mfcc_assets.defs.private.event_log", "mfcc_assets.event_log")
    assert former != present
    configuration.write_text(former)

    prepare_dagster_home(settings)

    assert configuration.read_text() == present
    with dagster_of(settings) as dagster:
        assert isinstance(dagster.event_log_storage, OpenEventLog)


@pytest.mark.parametrize("ignored", [[], [signal.SIGINT, signal.SIGTERM]], ids=["signals", "ignored signals"])
def test_a_process_ends_with_its_with_block(settings: Settings, tmp_path: Path, ignored: list[signal.Signals]) -> None:
    former = {number: signal.signal(number, signal.SIG_IGN) for number in ignored}
    try:
        with (
            pytest.raises(KeyboardInterrupt),
            running(settings, ["http.server", "0"], tmp_path / "log") as process,
        ):
            raise KeyboardInterrupt
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)

    assert process.returncode == -signal.SIGTERM


def test_a_process_that_ignores_signals_is_killed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "deaf.py").write_text(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', flush=True)\ntime.sleep(600)\n"
    )
    log = tmp_path / "log"

    with running(settings, ["deaf"], log, seconds_between_signals=0.01) as process:
        while not log.read_text():
            time.sleep(0.05)

    assert process.returncode == -signal.SIGKILL


def test_make_starts_dagster_with_the_environment_that_the_package_uses(settings: Settings) -> None:
    started = subprocess.run(
        [sys.executable, "-m", "mfcc_assets.defs.launch", "-c", "import json, os; print(json.dumps(dict(os.environ)))"],
        env={**os.environ, "MFCC_HOME": str(settings.home)},
        stdout=subprocess.PIPE,
        check=True,
    )

    assert dagster_environment(settings).items() <= json.loads(started.stdout).items()
    assert (settings.dagster_home / "dagster.yaml").exists()


def test_all_processes_of_make_dev_end_with_the_one_that_is_told_to_end(settings: Settings, tmp_path: Path) -> None:
    child = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    parent = (
        "import signal, subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        # Dagster does so too.
        "signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))\n"
        "print('parent', flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-m", "mfcc_assets.defs.launch", "-c", parent]
    with (tmp_path / "log").open("w+b") as log:
        launcher = subprocess.Popen(
            ["sh", "-c", 'trap "" INT; exec "$@"', "in the background", *map(str, command)],
            env={**os.environ, "MFCC_HOME": str(settings.home)},
            stdout=log,
        )
        while len((tmp_path / "log").read_text().split()) < 2:
            assert launcher.poll() is None
            time.sleep(0.05)
        launcher.terminate()

        assert launcher.wait(timeout=10) == 128 + signal.SIGTERM
        assert not [status for status in Path("/proc").glob("[0-9]*/cmdline") if b"deaf" in _read(status)]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def test_the_error_of_a_run_that_never_began_is_the_last_line_of_its_log(settings: Settings) -> None:
    with (
        command_line_lock(settings) as lock,
        running(settings, ["no_such_module"], run_log(settings)) as process,
        pytest.raises(RunFailed, match=r"the run failed\. .*No module named no_such_module\. Read .*\.log"),
    ):
        check_succeeded(process, settings, lock)


def test_the_error_of_a_run_that_was_killed_says_so_and_that_the_command_goes_on(settings: Settings) -> None:
    with command_line_lock(settings) as lock, running(settings, ["http.server", "0"], run_log(settings)) as process:
        process.kill()
        with pytest.raises(RunFailed, match=r"the run was killed \(SIGKILL\)\. .* the same command goes on from there"):
            check_succeeded(process, settings, lock)


def test_the_error_of_a_run_that_could_not_read_the_files_of_dagster_names_the_damaged_file(settings: Settings) -> None:
    runs = prepare_dagster_home(settings) / "history" / "runs.db"
    runs.parent.mkdir()
    runs.write_bytes(b"garbage" * 1_000)
    with (
        command_line_lock(settings) as lock,
        running(settings, ["dagster", "run", "list"], run_log(settings)) as process,
        pytest.raises(RunFailed, match=rf"the run failed\. {runs}: it is damaged .* Move it away"),
    ):
        check_succeeded(process, settings, lock)


def test_a_run_that_is_interrupted_during_a_step_ends_as_failed_or_canceled(library: Library) -> None:
    # This is some seconds of work. A run over ten short songs once ended before it could be interrupted.
    for song in STARTER_LIBRARY.iterdir():
        library.blobs.upload_file("soundtracks", song.name, song)

    with dagster_of(library.settings) as dagster:
        with (
            command_line_lock(library.settings) as lock,
            running_library_job(library.settings, lock, "mfcc add") as process,
        ):
            # Without the handling under test, Dagster would try the step again, and the run would succeed.
            while not library.catalogue.progress()[0]:
                assert process.poll() is None
                time.sleep(0.05)
        (run,) = dagster.get_runs()

    assert run.is_finished
    assert run.status != dg.DagsterRunStatus.SUCCESS


def test_a_run_of_a_command_belongs_to_the_code_location_and_names_the_command(library: Library) -> None:
    home = library.settings.dagster_home
    with dagster_of(library.settings) as dagster:
        with (
            command_line_lock(library.settings) as lock,
            running_library_job(library.settings, lock, "mfcc add") as process,
        ):
            check_succeeded(process, library.settings, lock)
        (run,) = dagster.get_runs()

    assert run.remote_job_origin is not None, "the timeline shows only runs with the origin of a code location"
    assert run.remote_job_origin.location_name == run.tags["dagster/code_location"] == "mfcc_assets.definitions"
    assert run.tags["user"] == "mfcc add"
    assert not [value for value in run.tags.values() if str(home) in value]
    assert run.run_id == Path(lock.name).stem


def test_a_killed_run_of_the_command_line_is_orphaned(library: Library, ten_songs: list[Path]) -> None:
    library.blobs.upload_file("soundtracks", "song.flac", ten_songs[0])

    with dagster_of(library.settings) as dagster:
        with (
            command_line_lock(library.settings) as lock,
            running_library_job(library.settings, lock, "mfcc add") as process,
        ):
            while not dagster.get_runs(STARTED):
                assert process.poll() is None
                time.sleep(0.05)
            (run,) = dagster.get_runs()
            assert not is_orphaned(run.run_id, run.tags, library.settings.dagster_home)
            process.kill()
        assert is_orphaned(run.run_id, run.tags, library.settings.dagster_home)
