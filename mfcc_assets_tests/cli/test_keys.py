"""Tests of `mfcc keys`."""

import json
from pathlib import Path

from mfcc_assets_tests.cli.commands import mfcc


def test_a_key_is_printed_once_and_listed_until_it_is_revoked(tmp_path: Path) -> None:
    made = mfcc(tmp_path, "keys", "add", "Zoë")
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("mfcc_")
    assert "not shown again" in made.stderr
    mfcc(tmp_path, "keys", "add", "boss", "--operator")

    [key, boss] = json.loads(mfcc(tmp_path, "keys", "list", "--json").stdout)
    assert (key["name"], key["is_operator"], boss["name"], boss["is_operator"]) == ("Zoë", False, "boss", True)
    listed = mfcc(tmp_path, "keys", "list").stdout
    assert "Zoë" in listed
    assert "operator" in listed
    assert made.stdout.strip() not in listed

    revoked = mfcc(tmp_path, "keys", "revoke", key["key_id"])
    assert "Key " + key["key_id"] + " of Zoë is revoked" in revoked.stdout
    assert [each["name"] for each in json.loads(mfcc(tmp_path, "keys", "list", "--json").stdout)] == ["boss"]


def test_an_empty_list_says_how_to_make_a_key(tmp_path: Path) -> None:
    assert "mfcc keys add NAME" in mfcc(tmp_path, "keys", "list").output


def test_a_key_that_does_not_exist_cannot_be_revoked(tmp_path: Path) -> None:
    result = mfcc(tmp_path, "keys", "revoke", "f" * 16)
    assert result.exit_code == 1
    assert "no key in use has this id" in result.output


def test_an_empty_name_is_refused(tmp_path: Path) -> None:
    result = mfcc(tmp_path, "keys", "add", "")
    assert result.exit_code == 1
    assert "printable characters" in result.output
