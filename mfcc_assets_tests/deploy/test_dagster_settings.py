"""Dagster accepts the settings of each deployment, and the settings differ only in what they must."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from dagster._core.instance.config import dagster_instance_config
from dagster._core.instance.ref import InstanceRef
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster_azure.blob import AzureBlobComputeLogManager
from dagster_postgres import DagsterPostgresStorage

from mfcc_assets_tests.deploy.bicep_files import DEPLOY

LAUNCHER = {
    "DAGSTER_RUNS_SUBSCRIPTION": "a-subscription",
    "DAGSTER_RUNS_GROUP": "a-group",
    "DAGSTER_RUNS_REGION": "a-region",
    "DAGSTER_RUNS_ENVIRONMENT": "an-environment",
    "DAGSTER_RUNS_IDENTITY": "an-identity",
}
ENVIRONMENT = {
    "DAGSTER_LOGS_ACCOUNT": "account",
    "DAGSTER_POSTGRES_HOST": "host",
    "DAGSTER_POSTGRES_USER": "user",
    "MFCC_SECRET_DATABASE_PASSWORD": "for this test",
    **LAUNCHER,
}
NAMES = ["dagster", "dagster-job-per-run", "dagster-twin"]
LOCAL = DEPLOY.parent / "mfcc_assets" / "dagster.yaml"


def settings(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DEPLOY / f"{name}.yaml").read_text())
    return content


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """Make a home of Dagster with one of the files, and set the environment that it reads."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    shutil.copy(DEPLOY / f"{request.param}.yaml", tmp_path / "dagster.yaml")
    return tmp_path


@pytest.mark.parametrize("home", NAMES, indirect=True)
def test_dagster_knows_every_key(home: Path) -> None:
    configuration, _ = dagster_instance_config(str(home))
    assert configuration["run_monitoring"]["enabled"]


@pytest.mark.parametrize("home", ["dagster"], indirect=True)
def test_an_unknown_key_is_refused(home: Path) -> None:
    path = home / "dagster.yaml"
    path.write_text(path.read_text().replace("max_retries", "most_retries"))
    with pytest.raises(Exception, match="most_retries"):
        dagster_instance_config(str(home))


@pytest.mark.parametrize("home", ["dagster", "dagster-job-per-run"], indirect=True)
def test_the_output_of_steps_is_stored_in_the_storage_account(home: Path) -> None:
    manager = InstanceRef.from_dir(str(home)).compute_log_manager
    assert isinstance(manager, AzureBlobComputeLogManager)
    with manager._blob_client as client:  # noqa: SLF001  Dagster offers no public access to it
        assert client.account_name == "account"


@pytest.mark.filterwarnings("ignore:Class `AcaRunLauncher` is currently in beta:dagster.BetaWarning")
@pytest.mark.parametrize("home", ["dagster-job-per-run"], indirect=True)
def test_every_run_is_a_job_with_the_identity_of_the_settings(home: Path) -> None:
    from dagster_azure.container_apps import AcaRunLauncher

    launcher = InstanceRef.from_dir(str(home)).run_launcher
    assert isinstance(launcher, AcaRunLauncher)
    assert launcher.identity_id == "an-identity"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments with which Dagster opens its database, which it then does not open."""
    arguments: list[dict[str, Any]] = []
    monkeypatch.setattr(DagsterPostgresStorage, "__init__", lambda _, **how: arguments.append(how))
    return arguments


@pytest.mark.parametrize("home", ["dagster"], indirect=True)
def test_dagster_opens_its_database_in_azure_without_a_password(home: Path, opened: list[dict[str, Any]]) -> None:
    assert InstanceRef.from_dir(str(home)).storage
    (how,) = opened
    address = sa.make_url(how["postgres_url"])
    assert (address.username, address.password, address.query["sslmode"]) == ("user", None, "verify-full")
    assert how["token_provider"] is not None


@pytest.mark.parametrize("home", NAMES, indirect=True)
def test_the_driver_of_the_database_of_dagster_is_installed(home: Path, opened: list[dict[str, Any]]) -> None:
    assert InstanceRef.from_dir(str(home)).storage
    assert sa.create_engine(opened[0]["postgres_url"]).dialect.driver == "psycopg2"


def test_the_files_differ_only_in_stores_and_launcher() -> None:
    azure, job, twin = map(settings, NAMES)
    assert {name for name in azure if azure[name] != job[name]} == {"run_launcher"}
    assert {name for name in azure if azure[name] != twin[name]} == {"storage", "compute_logs"}


def test_runs_are_queued_retried_and_retained_as_on_a_laptop() -> None:
    azure, laptop = settings("dagster"), yaml.safe_load(LOCAL.read_text())
    same = ["telemetry", "nux", "concurrency", "run_queue", "sensors", "run_retries", "retention"]
    assert [name for name in same if azure[name] != laptop[name]] == []
    assert laptop["run_monitoring"].items() <= azure["run_monitoring"].items()


def test_the_workspace_names_the_code_server() -> None:
    (origin,) = location_origins_from_yaml_paths([str(DEPLOY / "workspace.yaml")])
    assert (getattr(origin, "host", None), getattr(origin, "port", None)) == ("code", 4000)
