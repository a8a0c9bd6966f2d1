"""Tests of `mfcc web`."""

import socket
from pathlib import Path

from mfcc_assets_tests.cli.commands import mfcc
from mfcc_assets_tests.services.processes import free_port


def test_a_port_in_use_is_told_in_a_sentence(tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        result = mfcc(tmp_path / "home", "web", "--port", str(port))

    assert result.exit_code == 1
    assert f"127.0.0.1:{port}: the pages cannot be served there" in result.output


def test_the_help_says_who_records_the_answers(tmp_path: Path) -> None:
    assert "Dagster records the answers" in mfcc(tmp_path / "home", "web", "--help").output
