"""Run a command on the cloud's twin: ``python -m mfcc_assets_tests.services COMMAND ARGUMENTS``.

Azurite, the Cosmos server and PostgreSQL are started before the command and stopped after it. What they held is gone
then, and with it the library's home, a temporary folder.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from mfcc_assets_tests.services.twin import running_twin


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="mfcc-twin-") as folder:
        print("Starting Azurite, the Cosmos server and PostgreSQL …", flush=True)  # noqa: T201
        with running_twin(Path(folder)) as twin, twin.library(Path(folder) / "home") as library:
            ended = subprocess.run(sys.argv[1:], env=library.environment(), check=False)
    sys.exit(ended.returncode)


if __name__ == "__main__":
    main()
