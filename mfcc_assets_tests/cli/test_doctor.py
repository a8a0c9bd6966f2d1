"""`mfcc doctor` as its user sees it."""

import json
from pathlib import Path

from click.testing import CliRunner

from mfcc_assets.cli.main import main
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.cli.commands import mfcc
from mfcc_assets_tests.damage import damage, flip, index_part, names


def test_nothing_is_wrong_with_a_library_after_a_run(home: Path) -> None:
    result = mfcc(home, "doctor")

    assert result.exit_code == 0, result.output
    assert result.output.endswith("Nothing is wrong.\n")


def test_each_fault_is_told_with_what_to_do(home: Path) -> None:
    with Library(Settings(home=home)) as library:
        assert library.signing_key
        damage(library, names(library, "summaries/")[0], flip)
        version = library.indexes.published_version()
        damage(library, index_part(library, version, "means.npy"), flip)
    (home / "blobs" / "soundtracks" / "lost.mp3").symlink_to("/no/such/disk/lost.mp3")
    (home / "signing.key").chmod(0o644)

    result = mfcc(home, "doctor")

    assert result.exit_code == 1
    assert "the stored features are damaged. `mfcc sync` computes them again." in result.output
    assert "means.npy is not what was written. The next run over the library builds it again" in result.output
    assert "lost.mp3: this link leads nowhere. Mount its disk, or remove the link." in result.output
    assert f"Run: chmod 600 {home / 'signing.key'}" in result.output
    assert result.output.endswith("4 faults found.\n")
    report = json.loads(mfcc(home, "doctor", "--json").stdout)
    assert report["faults"] == 4
    assert {part["part"] for part in report["parts"] if part["faults"]} == {"home", "soundtracks", "features", "index"}


def test_a_damaged_database_is_a_fault_and_the_rest_is_still_examined(home: Path) -> None:
    (home / "tables.sqlite").write_bytes(b"no database at all" * 100)

    result = mfcc(home, "doctor")

    assert result.exit_code == 1
    assert "fault database" in result.output
    assert "good  index" in result.output


def test_a_library_that_is_not_where_the_settings_say_is_a_fault_and_is_not_made(tmp_path: Path) -> None:
    result = mfcc(tmp_path / "nothing", "doctor")

    assert result.exit_code == 1
    assert "nothing does not exist. Check the setting, and that the disk is mounted" in result.output
    assert [*tmp_path.iterdir()] == []


def test_what_the_settings_need_and_is_missing_is_a_fault(home: Path) -> None:
    variables = {"MFCC_HOME": str(home), "MFCC_RECOGNISERS": "library,audd"}
    result = CliRunner().invoke(main, ["doctor"], env=variables)

    assert result.exit_code == 1
    assert "Secret audd-token: it is not configured. Set MFCC_SECRET_AUDD_TOKEN." in result.output
