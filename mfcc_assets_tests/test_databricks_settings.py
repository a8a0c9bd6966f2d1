"""The settings of work on Databricks."""

from typing import Any

import pytest
from pydantic import ValidationError

from mfcc_assets.settings import Settings

AZURE: dict[str, Any] = {
    "profile": "azure",
    "blob_url": "https://blobs.example",
    "cosmos_url": "https://documents.example",
    "database_url": "postgresql+psycopg2://clerk@tables.example/mfcc",
    "compute": "databricks",
}


def test_a_library_on_azure_can_have_its_work_done_on_databricks() -> None:
    settings = Settings(**AZURE, databricks_url="https://workspace.example", databricks_job=7)

    assert settings.compute == "databricks"
    assert settings.databricks_min_items > 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"profile": "local"}, "MFCC_COMPUTE=databricks needs MFCC_PROFILE=azure"),
        ({"databricks_job": 0}, "MFCC_COMPUTE=databricks needs MFCC_DATABRICKS_URL and MFCC_DATABRICKS_JOB"),
        ({"databricks_url": ""}, "MFCC_COMPUTE=databricks needs MFCC_DATABRICKS_URL and MFCC_DATABRICKS_JOB"),
        ({"databricks_url": "workspace.example"}, "it is no address such as https://HOST"),
    ],
)
def test_settings_with_which_databricks_cannot_work_are_refused(wrong: dict[str, Any], message: str) -> None:
    right = {**AZURE, "databricks_url": "https://workspace.example", "databricks_job": 7}

    with pytest.raises(ValidationError, match=message):
        Settings(**{**right, **wrong})
