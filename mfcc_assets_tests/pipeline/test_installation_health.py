"""The examination of what a library needs of a machine."""

from pathlib import Path

import pytest

from mfcc_assets.errors import SecretNotFound
from mfcc_assets.library import Library
from mfcc_assets.pipeline.installation_health import (
    examine_disk,
    examine_extras,
    examine_home,
    examine_settings,
    examine_versions,
)
from mfcc_assets.settings import Settings


def test_the_installed_packages_are_those_that_are_needed(settings: Settings) -> None:
    found = examine_versions(settings)

    assert found.faults == []
    assert "mfcc-assets " in found.found
    assert "dagster " in found.found


def test_a_variable_that_sets_nothing_is_a_fault(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert examine_settings(settings).faults == []

    monkeypatch.setenv("MFCC_RANKNG", "dtw")

    (fault,) = examine_settings(settings).faults
    assert fault.endswith("The nearest one is MFCC_RANKING.")


def test_a_settings_file_is_named(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mfcc.toml").write_text("")

    assert str(tmp_path / "mfcc.toml") in examine_settings(settings).found


def test_a_home_that_is_named_and_not_there_is_a_fault_but_the_default_is_none(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "does not exist" in examine_home(settings).faults[0]

    monkeypatch.chdir(tmp_path)
    found = examine_home(Settings())
    assert (found.faults, found.notes) == ([], ["There is no library yet. `mfcc add PATH` makes one."])


def test_a_key_that_others_may_read_is_a_fault(library: Library) -> None:
    assert library.signing_key
    assert examine_home(library.settings).faults == []

    (library.settings.folder / "signing.key").chmod(0o640)

    assert "other users may read it" in examine_home(library.settings).faults[0]


def test_a_disk_with_space_is_good(settings: Settings) -> None:
    assert examine_disk(settings).found.endswith("GB free")


def test_secrets_that_the_settings_need_are_looked_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with Library(settings) as library:
        assert examine_extras(library).found == "the settings need none"
    with Library(Settings(home=settings.home, recognisers="acrcloud", acrcloud_url="https://host.example")) as library:
        with pytest.raises(SecretNotFound, match="configured"):
            examine_extras(library)
        monkeypatch.setenv("MFCC_SECRET_ACRCLOUD_KEY", "a key")
        monkeypatch.setenv("MFCC_SECRET_ACRCLOUD_SECRET", "a secret")
        assert examine_extras(library).found == "all that acrcloud need"
