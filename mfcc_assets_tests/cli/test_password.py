"""Tests of `mfcc password`."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mfcc_assets.cli.main import main
from mfcc_assets.web.security.passwords import matches

PASSWORD = "correct horse battery"
COMMAND = [sys.executable, "-c", "from mfcc_assets.cli.main import main; main()", "password"]


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_the_hash_of_a_password_from_a_pipe_is_printed_and_nothing_else(tmp_path: Path, ending: str) -> None:
    result = CliRunner().invoke(main, ["password"], input=PASSWORD + ending, env={"MFCC_HOME": str(tmp_path)})

    assert result.exit_code == 0
    assert matches(PASSWORD, result.stdout.strip())
    assert "MFCC_SECRET_WEB_PASSWORD, in single quotes" in result.stderr


def test_a_short_password_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["password"], input="short\n", env={"MFCC_HOME": str(tmp_path)})

    assert result.exit_code == 1
    assert "12 characters or more" in result.output


def test_a_password_is_no_argument(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["password", PASSWORD], env={"MFCC_HOME": str(tmp_path)}).exit_code == 2


def test_a_password_that_is_typed_twice_is_not_shown(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "MFCC_HOME": str(tmp_path)}
    with subprocess.Popen(
        COMMAND, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        shown = b""
        for asked in (b"Password: ", b"confirmation: "):
            while not shown.endswith(asked):
                shown += os.read(ours, 1024)
            os.write(ours, f"{PASSWORD}\n".encode())
        printed, _ = process.communicate(timeout=60)
    os.close(ours)

    assert matches(PASSWORD, printed.decode().strip())
    assert PASSWORD.encode() not in shown
