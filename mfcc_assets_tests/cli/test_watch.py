"""`mfcc watch` as its user sees it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.runs import drop_upload
from mfcc_assets_tests.upload_steps import answer_uploads


def test_the_answer_of_an_upload_is_told_and_ctrl_c_ends_the_command_cleanly(home: Path, query: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "from mfcc_assets.cli.main import main; main()", "watch", "--seconds", "0.1"],
        env={**os.environ, "MFCC_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_receive_ctrl_c,  # noqa: PLW1509  this process has no threads here
    ) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert watching.stderr.readline() == f"Watching {home}. Ctrl-C ends it.\n"
        with Library(Settings(home=home, settle_seconds=0)) as library:
            answer_uploads(library, [drop_upload(library, query, "query.flac")])
        answer = next(line for line in watching.stdout if "answered" in line)
        watching.send_signal(signal.SIGINT)
        _, errors = watching.communicate(timeout=20)

    assert answer[8:].startswith(" answered  query.flac: Song ")
    assert (watching.returncode, errors) == (0, "")


def _receive_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell may let its background processes ignore it
