"""A package that is not installed is named with the extra that brings it."""

import subprocess
import sys

import pytest

from mfcc_assets.errors import SettingsError
from mfcc_assets.extras import needs_extra

WITHOUT = """
import sys
sys.modules.update(dict.fromkeys({modules!r}))  # importing any of these now fails, as if it were not installed
{code}
"""


def test_the_error_names_the_module_the_purpose_and_the_command() -> None:
    with pytest.raises(SettingsError) as told, needs_extra("sqlserver", "Tables in SQL Server"):
        raise ModuleNotFoundError("No module named 'mssql_python'", name="mssql_python")

    assert str(told.value) == (
        "Tables in SQL Server: the module mssql_python is not installed. Run: pip install 'mfcc-assets[sqlserver]'."
    )


AZURE = {
    "profile": "azure",
    "blob_url": "https://account.example",
    "cosmos_url": "https://documents.example",
    "database_url": "sqlite://",
}


@pytest.mark.parametrize(
    ("modules", "settings", "used", "extra"),
    [
        (["mssql_python"], {"database_url": "mssql+mssqlpython://@host/tables"}, "database", "sqlserver"),
        (["psycopg2"], {"database_url": "postgresql+psycopg2://user@host/tables"}, "database", "postgresql"),
        (["azure.keyvault.secrets"], {"key_vault_url": "https://vault.example"}, "secrets", "keyvault"),
        (["httpx"], {}, "services", "recognition"),
        (["azure"], AZURE, "blobs", "azure"),
        (["azure"], AZURE, "documents", "azure"),
    ],
)
def test_a_setting_that_needs_an_extra_names_it(
    modules: list[str], settings: dict[str, str], used: str, extra: str
) -> None:
    code = (
        "from mfcc_assets.library import Library; from mfcc_assets.settings import Settings\n"
        f"Library(Settings(**{settings!r})).{used}"
    )

    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(modules=modules, code=code)], capture_output=True, text=True, check=False
    )

    assert ran.returncode == 1
    assert f"pip install 'mfcc-assets[{extra}]'" in ran.stderr


def test_the_local_profile_needs_no_extra() -> None:
    modules = ["mssql_python", "psycopg2", "azure", "httpx", "acoustid", "dagster_azure", "dagster_postgres"]
    code = "import mfcc_assets.cli.main, mfcc_assets.definitions, mfcc_assets.pipeline.answer"

    subprocess.run([sys.executable, "-c", WITHOUT.format(modules=modules, code=code)], check=True)
