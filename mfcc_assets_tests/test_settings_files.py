"""Settings from the file `mfcc.toml`, and names that are no setting."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mfcc_assets.cli.main import main
from mfcc_assets.defs.launch import dagster_environment
from mfcc_assets.settings import Settings
from mfcc_assets_tests.ordinary_user import as_ordinary_user


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the current one."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def of_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the configuration folder of a user, and return the folder of this program in it."""
    folder = tmp_path / "config" / "mfcc"
    folder.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder.parent))
    return folder


def test_the_environment_comes_before_the_current_folder_and_this_before_the_file_of_the_user(
    here: Path, of_user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (of_user / "mfcc.toml").write_text('recommendations = 7\nper_artist = 7\nranking = "dtw"\n')
    (here / "mfcc.toml").write_text("recommendations = 8\nper_artist = 8\n")
    monkeypatch.setenv("MFCC_RECOMMENDATIONS", "9")

    settings = Settings()

    assert (settings.recommendations, settings.per_artist, settings.ranking) == (9, 8, "dtw")
    assert Settings(ranking="article").ranking == "article"


def test_a_relative_home_counts_from_the_folder_of_the_file(here: Path, of_user: Path) -> None:
    (of_user / "mfcc.toml").write_text('home = "music"\n')
    assert Settings().folder == of_user / "music"

    (here / "mfcc.toml").write_text('home = "../library"\n')
    assert Settings().folder == here.parent / "library"

    (here / "mfcc.toml").write_text('home = "~/library"\n')
    assert Settings().folder == Path.home() / "library"


def test_relative_folders_of_music_count_from_the_folder_of_the_file(here: Path, of_user: Path) -> None:
    (of_user / "mfcc.toml").write_text('music = "albums:~/Music:/mnt/music"\n')
    assert Settings().music_folders == [of_user / "albums", Path.home() / "Music", Path("/mnt/music")]

    (here / "mfcc.toml").write_text('music = "albums"\n')
    assert Settings().music_folders == [here / "albums"]


def test_processes_of_dagster_have_the_settings_of_the_file_in_whatever_folder_they_start(
    here: Path, tmp_path: Path
) -> None:
    (here / "mfcc.toml").write_text('home = "music"\nranking = "dtw"\nfft_size = 1024\n')
    program = "from mfcc_assets.settings import Settings as S; s = S(); print(s.home, s.ranking, s.fft_size)"

    told = subprocess.check_output(
        [sys.executable, "-c", program], cwd=tmp_path, env=dagster_environment(Settings()), text=True
    )

    assert told.split() == [str(here / "music"), "dtw", "1024"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"rankings = 'dtw'", "mfcc.toml: there is no setting rankings. The nearest one is ranking."),
        (b"hoem = 'x'", "mfcc.toml: there is no setting hoem. The nearest one is home."),
        (b"[mfcc]\nranking = 'dtw'", "mfcc.toml: there is no setting mfcc."),
        (b"MFCC_HOME = 'x'", "mfcc.toml: there is no setting MFCC_HOME. The nearest one is home."),
        (b"ranking = dtw", "mfcc.toml: the settings file is no valid TOML (Invalid value (at line 1, column 11))."),
        (b"ranking = '\xff'", "mfcc.toml: the settings file is no valid TOML ('utf-8' codec"),
        (b"shard_digits = 3", "Error: shard_digits in "),
        (b"recommendations = []", "mfcc.toml: Input should be a valid integer."),
    ],
)
def test_a_fault_in_the_file_gives_an_error_of_one_sentence_that_names_the_file(
    here: Path, content: bytes, message: str
) -> None:
    (here / "mfcc.toml").write_bytes(content)

    result = _library({})

    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert str(here / "mfcc.toml") in result.output
    assert message in result.output
    assert result.output.count("\n") == 1


def test_a_folder_of_that_name_is_no_settings_file(here: Path) -> None:
    (here / "mfcc.toml").mkdir()

    assert Settings().recommendations == 5


def test_a_file_that_may_not_be_read_gives_an_error_of_one_sentence(here: Path) -> None:
    (here / "mfcc.toml").touch(mode=0)

    with as_ordinary_user():
        assert "the settings file cannot be read (Permission denied)" in _library({}).output


def test_a_misspelled_variable_gives_a_warning_that_names_the_nearest_one(here: Path) -> None:
    variables = {"MFCC_HOME": str(here / "home"), "MFCC_RECOMENDATIONS": "9", "MFCC_SECRET_AUDD_TOKEN": "a secret"}
    program = "from mfcc_assets.cli.main import main; main()"

    ended = subprocess.run(
        [sys.executable, "-c", program, "library"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0
    assert ended.stderr == (
        "Warning: MFCC_RECOMENDATIONS sets nothing, because there is no such setting. "
        "The nearest one is MFCC_RECOMMENDATIONS.\n"
    )


def _library(variables: dict[str, str]) -> Result:
    return CliRunner().invoke(main, ["library"], env=variables)
