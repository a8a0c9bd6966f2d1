"""Run a command on the local twin of the cloud: ``python -m mfcc_assets_tests.services COMMAND ARGUMENTS``.

Azurite, the Cosmos server and PostgreSQL are started before the command and stopped after it. Their content and the
home of the library, a temporary folder, are deleted at the end.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from mfcc_assets.signals import ended_by_signals
from mfcc_assets_tests.services.twin import running_twin


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="mfcc-twin-") as folder:
        print("Starting Azurite, the Cosmos server and PostgreSQL …", flush=True)  # noqa: T201
        with (
            ended_by_signals(),
            running_twin(Path(folder)) as twin,
            twin.library(Path(folder) / "home") as library,
            subprocess.Popen(sys.argv[1:], env=library.environment()) as process,
        ):
            try:
                code = process.wait()
            finally:
                process.terminate()  # it ends its own children
    sys.exit(code)


if __name__ == "__main__":
    main()
