"""A double of a Databricks workspace: it runs the task of a submitted run as a process of this machine, with Spark.

It knows the calls of the client of Dagster Pipes and those that find the cause of a failure. Its job is that of the
bundle in deploy/databricks.
"""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlsplit

from databricks.bundles.core import Bundle

from mfcc_assets_tests.services.processes import REPOSITORY

JOB_ID = 7
TOKEN = token_urlsafe(24)

_DRIVER_STOPPED = "The spark driver has stopped unexpectedly."
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
_FOLDER = REPOSITORY / "deploy" / "databricks"
_SCRIPTS: Mapping[str, str] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]


@dataclass
class Run:
    """A submitted run, and the process that it is here."""

    run_id: int
    token: str
    request: Mapping[str, Any]
    process: subprocess.Popen[bytes]
    log: Path
    is_cancelled: bool = False

    @property
    def state(self) -> dict[str, str]:
        code = self.process.poll()
        if code is None:
            return {"life_cycle_state": "RUNNING"}
        if self.is_cancelled:
            return _ended("CANCELED", "Run cancelled.")
        message = "" if code == 0 else "Workload failed, see run output for details"
        return _ended("FAILED" if code else "SUCCESS", message)

    def kill(self) -> None:
        """End the process and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    @property
    def output(self) -> dict[str, str]:
        log = self.log.read_text(errors="replace")
        if self.process.returncode in _KILLED:
            return {"error": _DRIVER_STOPPED, "logs": log}
        if "Traceback" not in log:
            return {"logs": log}
        return {"error": log.strip().splitlines()[-1], "error_trace": log, "logs": log}


def _ended(result: str, message: str) -> dict[str, str]:
    return {"life_cycle_state": "TERMINATED", "result_state": result, "state_message": message}


@dataclass
class DatabricksDouble:
    """The workspace, and a record of the requests.

    Attributes
    ----------
    url
        Its address.
    folder
        Folder of the logs, and of the local disk of clusters.
    job
        The job of the bundle, as the workspace returns it.
    secrets
        Secrets of the scope.
    runs
        All runs, in order.
    lost_answers
        Number of submissions whose answer gets lost on the way, from now on.
    is_silent
        Whether it refuses to tell the state of a run.
    command
        Program that runs instead of the task, if it is not empty.
    before
        Lines of Python that run before the task.
    """

    url: str
    folder: Path
    job: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    lost_answers: int = 0
    is_silent: bool = False
    command: list[str] = field(default_factory=list)
    before: str = ""

    def submit(self, request: Mapping[str, Any]) -> int:
        known = [run for run in self.runs if run.token == request["idempotency_token"]]
        if known:
            return known[0].run_id
        (task,) = request["tasks"]
        number = 1000 + len(self.runs)
        log = self.folder / f"{number}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command or _command_of(task["python_wheel_task"], self.before),
                cwd=self.folder,
                env=self._environment_of(task["new_cluster"]),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.runs.append(Run(number, request["idempotency_token"], request, process, log))
        return number

    def run_of(self, number: int) -> Run:
        (run,) = [run for run in self.runs if run.run_id == number % 1_000_000]
        return run

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)
        run = self.run_of(number)
        run.is_cancelled = run.process.poll() is None
        run.kill()

    def _environment_of(self, cluster: Mapping[str, Any]) -> dict[str, str]:
        """Return the variables of a task on a cluster, which knows no settings of this process."""
        given = {
            name: re.sub(r"\{\{secrets/[^/]+/(.+?)}}", self._secret, value)
            for name, value in cluster["spark_env_vars"].items()
        }
        own = {name: value for name, value in os.environ.items() if not name.startswith(("MFCC_", "DAGSTER_"))}
        return {**own, "PYTHONPATH": str(REPOSITORY), **given}

    def _secret(self, reference: re.Match[str]) -> str:
        return self.secrets[reference[1]]


def _command_of(task: Mapping[str, Any], before: str) -> list[str]:
    module, _, function = _SCRIPTS[task["entry_point"]].partition(":")
    return [sys.executable, "-c", f"{before}\nfrom {module} import {function}; {function}()", *task["parameters"]]


def job_of_bundle(folder: Path, blob_url: str) -> dict[str, Any]:
    """Return the job of the bundle for an account with a key, with a folder as the local disk of clusters."""
    spec = importlib.util.spec_from_file_location("bundle_resources", _FOLDER / "bundle_resources.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    described = module.load_resources(Bundle(target="dev")).jobs["mfcc_job"].as_dict()
    text = json.dumps(described).replace(module.LOCAL_DISK, str(folder / "disk")).replace("${var.blob_url}", blob_url)
    job: dict[str, Any] = json.loads(text)
    # The test account has a key, and no identities.
    parameters = job["tasks"][0]["python_wheel_task"]["parameters"]
    # There is no session of Spark that waits for a process of this machine.
    parameters += ["--blob-key-secret=blob-key", "--spark-master=local[1,4]"]
    variables = job["job_clusters"][0]["new_cluster"]["spark_env_vars"]
    variables["MFCC_SECRET_BLOB_KEY"] = "{{secrets/mfcc/blob-key}}"
    # The package is not a wheel here, so kernels are compiled already beside the code.
    del variables["NUMBA_CACHE_DIR"]
    return job


@contextmanager
def running_databricks(folder: Path, blob_url: str) -> Iterator[DatabricksDouble]:
    """Run the double, and end its processes at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Requests)
    double = DatabricksDouble(f"http://127.0.0.1:{server.server_port}", folder, job_of_bundle(folder, blob_url))
    server.double = double  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for run in double.runs:
            run.kill()
            run.process.wait()


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _double(self) -> DatabricksDouble:
        return self.server.double  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_message(self, *_: object) -> None:
        """Write no log."""

    def _answer(self, body: Mapping[str, Any]) -> None:
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._send(403, {"error_code": "PERMISSION_DENIED", "message": "Invalid access token."})
            return
        try:
            answer = self._answer_to(address.path, asked, body)
        except (KeyError, ValueError) as error:
            self._send(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"{error} does not exist."})
            return
        if answer is not None:
            self._send(400 if "error_code" in answer else 200, answer)

    def _answer_to(self, path: str, asked: Mapping[str, str], body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        double, name = self._double, path.removeprefix("/api/2.2/jobs/")
        if name == "get":
            unknown = {"error_code": "INVALID_PARAMETER_VALUE", "message": f"Job {asked['job_id']} does not exist."}
            return {"job_id": JOB_ID, "settings": double.job} if asked["job_id"] == str(JOB_ID) else unknown
        if name == "runs/submit":
            number = double.submit(body)
            if double.lost_answers:
                double.lost_answers -= 1
                self.close_connection = True
                return None
            return {"run_id": number}
        if name == "runs/get" and not double.is_silent:
            run = double.run_of(int(asked["run_id"]))
            page = f"{double.url}/#job/run/{run.run_id}"
            # A task has a number of its own.
            task = {"task_key": "work", "run_id": run.run_id + 1_000_000, "state": run.state}
            return {"run_id": run.run_id, "state": run.state, "run_page_url": page, "tasks": [task]}
        if name == "runs/get-output":
            return double.run_of(int(asked["run_id"])).output
        if name == "runs/cancel":
            double.cancel(body["run_id"])
            return {}
        raise KeyError(path)

    def _send(self, status: int, body: Mapping[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
