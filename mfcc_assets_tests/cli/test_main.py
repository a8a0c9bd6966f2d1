"""Tests of the errors, the warnings and the help that `mfcc` prints."""

import os
import resource
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mfcc_assets.cli.main import main
from mfcc_assets.pipeline import find_upload, library_listing
from mfcc_assets_tests.cli.commands import mfcc
from mfcc_assets_tests.ordinary_user import as_ordinary_user
from mfcc_assets_tests.runs import copied_home


def test_an_empty_library_gives_an_error_of_one_sentence(tmp_path: Path, query: Path) -> None:
    result = mfcc(tmp_path / "nothing here", "recommend", query)

    assert result.exit_code == 1
    assert result.output == (
        "Error: there is no index to search yet. Add music with `mfcc add PATH`, or materialise the library.\n"
    )


def test_a_file_without_music_gives_an_error_of_one_sentence(home: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.mp3").write_bytes(b"Dear reader")

    result = mfcc(home, "recommend", tmp_path / "letter.mp3")

    assert result.exit_code == 1
    assert result.output.startswith("Error: letter.mp3: no decoder can read the file, which is text.")


def test_a_wrong_setting_gives_an_error_of_one_sentence(home: Path) -> None:
    result = CliRunner().invoke(main, ["library"], env={"MFCC_HOME": str(home), "MFCC_SHARD_DIGITS": "3"})

    assert result.exit_code == 1
    assert result.output == "Error: MFCC_SHARD_DIGITS: Input should be 1 or 2.\n"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"MFCC_MIN_SECONDS": "9", "MFCC_MAX_SECONDS": "3"}, "MFCC_MIN_SECONDS must be below MFCC_MAX_SECONDS."),
        ({"MFCC_RECOGNISERS": "foo"}, "MFCC_RECOGNISERS knows library, audd, acrcloud, acoustid, tags, not foo."),
        (
            {"MFCC_PROFILE": "azure", "MFCC_BLOB_URL": "https://account.blob.core.windows.net"},
            "MFCC_PROFILE=azure needs MFCC_COSMOS_URL, MFCC_DATABASE_URL.",
        ),
    ],
)
def test_settings_that_contradict_each_other_give_an_error_of_one_sentence(
    tmp_path: Path, variables: dict[str, str], message: str
) -> None:
    result = CliRunner().invoke(main, ["library"], env={"MFCC_HOME": str(tmp_path), **variables})

    assert result.exit_code == 1
    assert result.output == f"Error: {message}\n"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"MFCC_HOME": "~nobody-of-this-name/library"}, "MFCC_HOME: the user in ~nobody-of-this-name/library has no"),
        ({"MFCC_BLOB_URL": "https://account:port/"}, "MFCC_BLOB_URL: the port in the address is not a number"),
        ({"MFCC_COSMOS_URL": "https://account:99999/"}, "MFCC_COSMOS_URL: the port in the address is not a number"),
        ({"MFCC_DATABASE_URL": "postgresql+psycopg2://owner@localhost:99999/tables"}, "invalid port number"),
        ({"MFCC_CACHE_GIGABYTES": "inf"}, "MFCC_CACHE_GIGABYTES: Input should be less than or equal to"),
        ({"MFCC_DATABASE_URL": "postgresql+psycopg2://owner@host:port/tables"}, "is not a number"),
    ],
)
def test_a_setting_that_cannot_be_used_gives_an_error_of_one_sentence(
    tmp_path: Path, variables: dict[str, str], message: str
) -> None:
    result = CliRunner().invoke(main, ["library"], env={"MFCC_HOME": str(tmp_path), **variables})

    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert message in result.output


@pytest.mark.parametrize(
    "address", ["postgresql://owner@host/tables", "mysql://owner@host/tables", "sqlite+aiosqlite:///tables"]
)
def test_an_unsupported_database_gives_an_error_that_names_the_supported_ones(tmp_path: Path, address: str) -> None:
    result = CliRunner().invoke(main, ["library"], env={"MFCC_HOME": str(tmp_path), "MFCC_DATABASE_URL": address})

    assert result.exit_code == 1
    assert "Use one of: sqlite, mssql+mssqlpython, postgresql+psycopg2." in result.output


COMMANDS = [
    ["add", "QUERY"],
    ["sync"],
    ["library"],
    ["recommend", "QUERY"],
    ["path", "Song 1", "Song 2"],
    ["playlist", "Song 1"],
    ["explain", "Song 1", "Song 2"],
    ["versions", "Song 1"],
    ["index", "list"],
    ["index", "publish", "1"],
    ["index", "rollback"],
    ["index", "prune"],
    ["index", "diff", "1", "2"],
    ["evaluate", "--manifest", "QUERY", "--audio", "."],
    ["database", "upgrade"],
    ["purge", "an-upload"],
    ["purge", "--lapsed"],
    ["status"],
    ["show", "Song 1"],
    ["remove", "Song 1", "--yes"],
    ["uploads"],
    ["uploads", "a-name"],
    ["watch"],
    ["doctor"],
    ["web"],
    ["keys", "list"],
    ["keys", "add", "player"],
    ["keys", "revoke", "0123456789abcdef"],
]


def test_every_command_is_tried_below() -> None:
    # Making the hash of a password needs no library.
    assert {command[0] for command in COMMANDS} == set(main.commands) - {"password"}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("home", ["a file", "a file/below", "/sys/a folder that nobody may make"])
def test_a_home_that_cannot_be_used_gives_an_error_of_one_sentence(
    tmp_path: Path, query: Path, home: str, command: list[str]
) -> None:
    (tmp_path / "a file").touch()

    result = mfcc(tmp_path / home, *[str(query) if word == "QUERY" else word for word in command])

    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("command", [["add", "QUERY"], ["library"], ["purge", "an-upload"]], ids=" ".join)
def test_a_full_disk_gives_an_error_of_one_sentence(tmp_path: Path, query: Path, command: list[str]) -> None:
    words = [str(query) if word == "QUERY" else word for word in command]
    program = "import sys; from mfcc_assets.cli.main import main; main(sys.argv[1:])"

    ended = subprocess.run(
        [sys.executable, "-c", program, *words],
        env={**os.environ, "MFCC_HOME": str(tmp_path / "home")},
        preexec_fn=_without_space_on_the_disk,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: ")
    assert "Traceback" not in ended.stderr


def _without_space_on_the_disk() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_former_name_in_a_setting_gives_a_warning_of_one_sentence(home: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        result = CliRunner().invoke(main, ["library"], env={"MFCC_HOME": str(home), "MFCC_RANKING": "timbre"})

    assert result.exit_code == 0
    assert result.stderr == "Warning: The ranking timbre is now called gaussian: set MFCC_RANKING=gaussian.\n"


SLOW = {
    "av",
    "dagster",
    "faiss",
    "matplotlib",
    "mutagen",
    "numba",
    "numpy",
    "pyarrow",
    "pydantic",
    "scipy",
    "sqlalchemy",
}


@pytest.mark.parametrize(
    "words",
    [
        "--version",
        "--help",
        "add --help",
        "sync --help",
        "library --help",
        "recommend --help",
        "explain --help",
        "index --help",
    ],
)
def test_help_imports_nothing_that_is_slow(words: str) -> None:
    assert not SLOW & _modules_after({}, *words.split())


def test_shell_completion_imports_nothing_that_is_slow() -> None:
    line = {"_MFCC_COMPLETE": "bash_complete", "COMP_WORDS": "mfcc recommend --ex", "COMP_CWORD": "2"}

    assert not SLOW & _modules_after(line)


def _modules_after(variables: dict[str, str], *words: str) -> set[str]:
    """Return the packages that a command has imported when it ends."""
    program = (
        "import sys\n"
        "from mfcc_assets.cli.main import main\n"
        "try:\n    main(sys.argv[1:], prog_name='mfcc')\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *words], env={**os.environ, **variables}, capture_output=True, text=True
    )
    assert ended.stdout, ended.stderr
    return {name.partition(".")[0] for name in ended.stderr.split()}


def test_shell_completion_finds_commands_options_and_formats() -> None:
    def completed(line: str) -> list[str]:
        variables = {"_MFCC_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
        found = CliRunner().invoke(main, [], prog_name="mfcc", env=variables).output
        return [each.partition(",")[2] for each in found.split()]

    assert completed("mfcc rec") == ["recommend"]
    assert completed("mfcc index roll") == ["rollback"]
    assert completed("mfcc recommend --ex") == ["--exact", "--export"]
    assert completed("mfcc database sql --dialect p") == ["postgresql"]


def test_the_sentence_of_every_command_fits_into_the_list_of_commands() -> None:
    for path, group in _groups(main, []):
        listed = CliRunner().invoke(main, [*path, "--help"], terminal_width=80).output.partition("Commands:")[2]
        assert "..." not in listed, listed
        sentences = [line.split(maxsplit=1)[1] for line in listed.splitlines() if line]
        assert len(sentences) == len(group.commands)
        assert all(sentence.endswith(".") for sentence in sentences)


def _groups(group: click.Group, path: list[str]) -> Iterator[tuple[list[str], click.Group]]:
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _groups(command, [*path, name])


def test_options_offer_the_states_and_orders_that_the_pipeline_knows() -> None:
    def choices(command: str, option: str) -> list[str]:
        found = next(each for each in main.commands[command].params if each.name == option)
        assert isinstance(found.type, click.Choice)
        return list(found.type.choices)

    assert choices("uploads", "state") == list(find_upload.STATES)
    assert choices("library", "state") == list(library_listing.STATES)
    assert choices("library", "order") == list(library_listing.ORDERS)


def test_another_user_may_read_a_home_although_its_key_is_secret(
    up_to_date_home: Path, tmp_path: Path, ten_songs: list[Path]
) -> None:
    home = copied_home(up_to_date_home, tmp_path / "home")
    (home / "signing.key").write_bytes(bytes(32))
    (home / "signing.key").chmod(0)
    reading = (
        ["status"],
        ["library"],
        ["uploads"],
        ["recommend", ten_songs[0]],
        ["show", "song-3.flac"],
        ["playlist", "song-3.flac"],
        ["explain", "song-3.flac", "song-4.flac"],
        ["index", "list"],
    )

    with as_ordinary_user():
        results = {str(words): mfcc(home, *words) for words in reading}

    assert {words: result.output for words, result in results.items() if result.exit_code} == {}
