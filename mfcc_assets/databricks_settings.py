"""The settings of heavy work on Azure Databricks."""

from pydantic import Field
from pydantic_settings import BaseSettings


class DatabricksSettings(BaseSettings):
    """Settings of Databricks. `mfcc_assets.settings.Settings` reads them with all others."""

    databricks_url: str = Field("", description="databricks: address of the workspace")
    databricks_job: int = Field(0, ge=0, description="databricks: number of the job that `databricks bundle` deployed")
    databricks_token_secret: str = Field(
        "", description="databricks: secret that holds a token of the workspace; empty: managed identity"
    )
    databricks_min_items: int = Field(
        500,
        ge=0,
        description="databricks: this machine does work on fewer tracks, because a cluster takes minutes to start",
    )


def check_job(profile: str, url: str, job: int) -> None:
    """Raise ValueError if Databricks cannot work for a library with these settings."""
    if profile != "azure":
        raise ValueError("MFCC_COMPUTE=databricks needs MFCC_PROFILE=azure, because clusters cannot read local folders")
    if not url or not job:
        raise ValueError("MFCC_COMPUTE=databricks needs MFCC_DATABRICKS_URL and MFCC_DATABRICKS_JOB")
