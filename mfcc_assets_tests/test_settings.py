"""Settings from the environment."""

import os
import secrets
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from mfcc_assets.cli.main import main
from mfcc_assets.errors import SettingsError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import purge_lapsed_uploads
from mfcc_assets.settings import Settings


def test_an_empty_variable_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MFCC_FFT_SIZE", "")
    monkeypatch.setenv("MFCC_RECOMMENDATIONS", "")

    assert (Settings().fft_size, Settings().recommendations) == (None, 5)


def test_the_error_of_refused_settings_does_not_contain_a_password() -> None:
    password = secrets.token_urlsafe(16)
    with pytest.raises(ValidationError) as refused:
        Settings(profile="azure", database_url=f"postgresql+psycopg2://owner:{password}@host/database")

    assert "MFCC_BLOB_URL" in str(refused.value)
    assert password not in str(refused.value)


def test_the_former_name_of_a_ranking_is_accepted_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MFCC_RANKING", "timbre")

    with pytest.warns(FutureWarning, match="MFCC_RANKING=gaussian"):
        assert Settings().ranking == "gaussian"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"min_seconds": 10.0, "max_seconds": 5.0}, "MFCC_MIN_SECONDS must be below MFCC_MAX_SECONDS"),
        ({"recommendations": 0}, "greater than 0"),
        ({"watch_seconds": 60.0}, "less than or equal to 30"),
        ({"min_seconds": 0.01}, "greater than or equal to 0.1"),
        ({"shard_digits": 3}, "Input should be 1 or 2"),
        ({"contour_rate": 1e-300}, "greater than or equal to 0.01"),
        ({"ranking": "loudest"}, "no such ranking; choose one of fused, gaussian, dtw, article"),
        ({"ranking": "../fused"}, "no such ranking"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings(**wrong)


@pytest.mark.parametrize("number", ["99999999999", "1e308", "inf", "nan"])
@pytest.mark.parametrize(
    "name",
    ["retention_days", "claim_seconds", "max_upload_gigabytes", "cache_gigabytes", "settle_seconds", "fft_size"],
)
def test_a_number_that_is_too_large_to_count_with_is_refused_in_one_sentence(
    tmp_path: Path, name: str, number: str
) -> None:
    variable = f"MFCC_{name.upper()}"

    told = CliRunner().invoke(main, ["purge", "--lapsed"], env={"MFCC_HOME": str(tmp_path / "home"), variable: number})

    assert told.exit_code == 1
    assert told.output.startswith(f"Error: {variable}: Input should be ")
    assert len(told.output.splitlines()) == 1


def test_the_longest_retention_can_be_counted_with(tmp_path: Path) -> None:
    with Library(Settings(home=tmp_path, retention_days=20_000)) as library:
        assert purge_lapsed_uploads(library) == []
        assert 0 < (library.settings.document_seconds or 0) < 2**31


@pytest.mark.parametrize("name", ["What? 100%25", "%41#x?y=1&z", "ünï cödé", "[x]@host:1", "quote'\"\\"])
def test_a_home_of_any_name_holds_the_tables_and_the_documents(tmp_path: Path, name: str) -> None:
    with Library(Settings(home=tmp_path / name / "home")) as library:
        assert library.catalogue.soundtracks() == []
        assert library.documents.latest() is None
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert {"tables.sqlite", "documents.sqlite"} <= {path.name for path in (tmp_path / name / "home").iterdir()}


def test_a_home_whose_path_is_not_utf_8_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"caf\\xe9.*choose a folder whose whole path is valid UTF-8"):
        Settings(home=tmp_path / os.fsdecode(b"caf\xe9"))


def test_a_relative_home_in_a_folder_that_is_not_utf_8_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(ValidationError, match="valid UTF-8"):
        Settings()


def test_the_folders_of_music_are_separated_as_paths_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MFCC_MUSIC", os.pathsep.join(["~/Music", "", "/mnt/a b"]))

    assert Settings().music_folders == [tmp_path / "Music", Path("/mnt/a b")]


@pytest.mark.parametrize("music", ["Music", "/mnt/a:b"])
def test_a_folder_of_music_that_depends_on_the_current_folder_is_refused(tmp_path: Path, music: str) -> None:
    with pytest.raises(ValidationError, match=r"is no absolute path.* Colons separate folders; `mfcc add --in-place`"):
        Settings(home=tmp_path, music=music)


def test_a_library_on_azure_has_no_folders_in_place(tmp_path: Path) -> None:
    azure: dict[str, Any] = {
        "profile": "azure",
        "blob_url": "https://a/",
        "cosmos_url": "https://b/",
        "database_url": "sqlite://",
    }
    with pytest.raises(ValidationError, match="unset MFCC_MUSIC"):
        Settings(home=tmp_path, music="/mnt/music", **azure)
    with pytest.raises(SettingsError, match="a library on Azure cannot use folders in place"):
        _ = Library(Settings(home=tmp_path, **azure)).music_folders


@pytest.mark.parametrize(
    "name", ["blob_url", "cosmos_url", "key_vault_url", "audd_url", "acrcloud_url", "acoustid_url", "dagster_url"]
)
@pytest.mark.parametrize(
    "address",
    [
        "host",
        "127.0.0.1:3000",
        "https://",
        "ftp://host/",
        "https://[::1",
        "https://host:a/",
        "https://a..b/",
        "https://a b/",
        "https://host/\nb",
        "file:///x",
        "javascript:alert(1)",
    ],
)
def test_an_address_of_no_server_gives_one_sentence(name: str, address: str) -> None:
    with pytest.raises(ValidationError, match=r"it is no address|the port in the address"):
        Settings.model_validate({name: address})


@pytest.mark.parametrize("address", ["sqlite:///:memory:", "sqlite:///file:a?mode=memory&uri=true"])
def test_a_database_that_forgets_everything_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="a database in memory is lost when a command ends"):
        Settings(database_url=address)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("MFCC_HOME", "~caf\udce9/home", "the user in ~caf\ufffd/home has no home directory"),
        ("MFCC_MUSIC", "/music:caf\udce9", "caf\ufffd is no absolute path"),
        ("MFCC_RECOGNISERS", "library,caf\udce9", "not caf\ufffd"),
        ("MFCC_WEB_TRUSTED_HOSTS", "caf\udce9", "caf\ufffd is no name of a host"),
        ("MFCC_WEB_PROXIES", "caf\udce9", "does not appear to be an IPv4 or IPv6 network"),
        ("MFCC_WEB_LOGIN_HEADER", "caf\udce9", "no header can have this name"),
        ("MFCC_DAGSTER_URL", "https://caf\udce9", "it is no address such as https://HOST"),
        ("MFCC_RANKING", "caf\udce9", "there is no such ranking"),
    ],
)
def test_a_value_that_is_not_utf_8_is_refused_in_one_sentence(
    tmp_path: Path, variable: str, value: str, told: str
) -> None:
    result = CliRunner().invoke(main, ["status"], env={"MFCC_HOME": str(tmp_path / "home"), variable: value})

    assert (result.exit_code, len(result.output.splitlines())) == (1, 1)
    assert told in result.output
