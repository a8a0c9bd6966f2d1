"""A cluster of Spark on this machine: two executors in processes of their own, and a server of Spark Connect.

Processes of tests share one, because it takes most of a minute to start.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mfcc_assets_tests.services.processes import REPOSITORY, free_port

_MASTER = "local-cluster[2,1,1024]"


@dataclass(frozen=True)
class SparkServers:
    """Masters of Spark, as the setting `spark_master` names them.

    Attributes
    ----------
    master
        A cluster of two executors, each a process.
    connect
        Address of a server of Spark Connect, which has the same executors.
    """

    master: str
    connect: str


@contextmanager
def running_spark(folder: Path) -> Iterator[SparkServers]:
    """Start Spark in a child of this process, and stop it at the end."""
    from mfcc_assets.compute.spark_session import started_session
    from mfcc_assets.settings import Settings

    port = free_port()
    options = {
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        # Executors import the functions of tests.
        "spark.executorEnv.PYTHONPATH": str(REPOSITORY),
    }
    arguments = [argument for name, value in options.items() for argument in ("--conf", f"{name}={value}")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", shlex.join([*arguments, "pyspark-shell"]))
        patch.setenv("PYTHONPATH", str(REPOSITORY))
        session = started_session(Settings(home=folder, compute="spark", spark_master=_MASTER))
    try:
        yield SparkServers(_MASTER, f"sc://127.0.0.1:{port}")
    finally:
        session.stop()
