"""The session of Spark that a process uses: its own one, or that of a Spark Connect server."""

import atexit
import re
import socket
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, cast
from urllib.parse import urlsplit

from pyspark.sql import SparkSession

from mfcc_assets.compute.java import java_home
from mfcc_assets.errors import ComputeFailed
from mfcc_assets.extras import needs_extra
from mfcc_assets.settings import Settings

CONNECT = "sc://"

_STANDALONE = "spark://"
_PORTS = {CONNECT: 15_002, _STANDALONE: 7_077}
_SECONDS_TO_ANSWER = 10

_ROWS_IN_BATCH, _BYTES_IN_BATCH = 256, 4 << 20
"""Spark hands so many items to Python at once, or fewer if they reach so many bytes."""

_OF_THIS_MACHINE = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}

_SIZES = {
    "spark.master": "",
    "spark.mfcc.cores": "0",
    "spark.cores.max": "0",
    "spark.executor.instances": "0",
    "spark.executor.cores": "1",
    "spark.task.cpus": "1",
}
"""Options of Spark that tell the size of a cluster, with the values that they have if nobody sets them.

The second one is of this package, for clusters that grow with the work.
"""

_LOCAL_CLUSTER = re.compile(r"local-cluster\[(\d+),(\d+),\d+\]")

_starting = Lock()


def started_session(settings: Settings) -> SparkSession:
    """Return the session of this process. The first call starts it, which takes from 10 s to a minute.

    Parameters
    ----------
    settings
        Settings of the library, with the master. Beginning with `CONNECT`, it is the address of a server. An empty one
        stands for the session that the platform has for this process, such as that of a job of Databricks.

    Raises
    ------
    ComputeFailed
        If nothing answers at the address.
    PySparkException, OSError
        If Spark cannot be started.
    """
    with _starting:
        _check_answer(settings.spark_master)
        is_remote = settings.spark_master.startswith(CONNECT)
        session = _session_of_server(settings.spark_master) if is_remote else _own_session(settings)
        session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(_ROWS_IN_BATCH))
        session.conf.set("spark.sql.execution.arrow.maxBytesPerBatch", str(_BYTES_IN_BATCH))
        return session


def slots_of(session: SparkSession, master: str) -> int:
    """Return the number of tasks that all executors run at once."""
    if master.startswith(CONNECT):
        # Its client has no other way to ask. By default Spark cuts a range into one partition for each core.
        numbers = session.range(1 << 16).selectExpr("spark_partition_id() AS number")
        cores = int(numbers.selectExpr("max(number) AS last").toArrow()["last"][0].as_py()) + 1
    else:
        cores = int(session.sparkContext.defaultParallelism)
    options = {name: session.conf.get(name, missing) or missing for name, missing in _SIZES.items()}
    return max(1, max(cores, expected_cores(options)) // int(options["spark.task.cpus"]))


def expected_cores(options: Mapping[str, str]) -> int:
    """Return the number of cores that executors will have by the options of Spark; 0 if these do not tell.

    Executors register one after the other. Just after the start, Spark knows two cores even of a large cluster.

    Examples
    --------
    >>> expected_cores({**_SIZES, "spark.master": "local-cluster[2,4,1024]"})
    8
    """
    if of_processes := _LOCAL_CLUSTER.fullmatch(options["spark.master"].replace(" ", "")):
        return int(of_processes[1]) * int(of_processes[2])
    if int(options["spark.mfcc.cores"]):
        return int(options["spark.mfcc.cores"])
    if int(options["spark.cores.max"]):
        return int(options["spark.cores.max"])
    return int(options["spark.executor.instances"]) * int(options["spark.executor.cores"])


def _check_answer(master: str) -> None:
    """Raise ComputeFailed if nothing answers at the address of a server or a cluster, which may have several ones.

    Spark itself would ask for minutes, and then not tell the cause.
    """
    kind = next((kind for kind in _PORTS if master.startswith(kind)), None)
    if kind is None:
        return
    faults = list[str]()
    # What follows in the address of a server may be a secret.
    for place in master.removeprefix(kind).partition(";")[0].split(","):
        server = urlsplit(f"//{place}")
        try:
            socket.create_connection((server.hostname or "", server.port or _PORTS[kind]), _SECONDS_TO_ANSWER).close()
        except (OSError, ValueError) as error:
            faults.append(str(error))
        else:
            return
    raise ComputeFailed(
        f"no Spark answers there ({'; '.join(faults)})",
        subject=master.partition(";")[0],
        remedy="Start it, or correct MFCC_SPARK_MASTER",
    )


def _session_of_server(address: str) -> SparkSession:
    with needs_extra("spark", "Spark Connect"):
        from pyspark.sql.connect.session import SparkSession as SessionOfServer

    session: Any = SessionOfServer.builder.remote(address).getOrCreate()
    # What Spark does when the process ends would wait for many minutes if the server is gone. It skips a closed client.
    atexit.unregister(session.client.close)
    atexit.register(session.client.close)
    return cast("SparkSession", session)


def _own_session(settings: Settings) -> SparkSession:
    if (active := SparkSession.getActiveSession()) is not None:
        return active
    if not settings.spark_master:
        # The platform says which master it is, and how to reach it.
        of_platform: SparkSession = SparkSession.builder.getOrCreate()
        return of_platform
    builder = SparkSession.builder.appName("mfcc").master(settings.spark_master)
    if settings.spark_master.startswith("local"):
        path = settings.environment.get("PYTHONPATH")
        options = {
            **_OF_THIS_MACHINE,
            "spark.sql.warehouse.dir": str(settings.folder / "spark" / "warehouse"),
            # The executors of a cluster of processes do not inherit it.
            **({"spark.executorEnv.PYTHONPATH": path} if path else {}),
        }
        for name, value in options.items():
            builder = builder.config(name, value)
    variables = {
        "JAVA_HOME": str(java_home(settings.environment, settings.folder / "spark" / "java")),
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
    if settings.spark_master.startswith("local"):
        # The executors of a cluster have a Python of their own, and reach this process from other machines.
        variables |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    with _set_meanwhile(settings.environment, variables):
        session: SparkSession = builder.getOrCreate()
    return session


@contextmanager
def _set_meanwhile(environment: MutableMapping[str, str], variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables that Spark reads when it starts. Those that are set already stay, except the home of Java."""
    before = {name: environment.get(name) for name in variables}
    environment.update({name: value for name, value in variables.items() if name == "JAVA_HOME" or not before[name]})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
