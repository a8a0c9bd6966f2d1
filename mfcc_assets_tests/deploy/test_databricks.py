"""The bundle of Databricks, loaded by the program that `databricks bundle` runs, which checks it by its models."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from databricks.bundles.jobs import Job

from mfcc_assets_tests.deploy.bicep_files import DEPLOY, MODULES, read, settings_of
from mfcc_assets_tests.services.processes import REPOSITORY

FOLDER = DEPLOY / "databricks"
BUNDLE: dict[str, Any] = yaml.safe_load((FOLDER / "databricks.yml").read_text())
PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
TARGETS = sorted(BUNDLE["targets"])


def load(folder: Path, bundle: dict[str, Any]) -> tuple[int, dict[str, Any], str]:
    """Load the resources in the way of `databricks bundle`. Return the exit code, the bundle, and the diagnostics."""
    given, loaded, told = (folder / name for name in ("given.json", "loaded.json", "told.json"))
    given.write_text(json.dumps(bundle))
    files = {"input": given, "output": loaded, "diagnostics": told, "locations": folder / "locations.json"}
    options = [f"--{name}={path}" for name, path in files.items()]
    command = [sys.executable, "-m", "databricks.bundles.build", "--phase=load_resources", *options]
    ran = subprocess.run(command, cwd=FOLDER, check=False, capture_output=True, text=True)
    return ran.returncode, json.loads(loaded.read_text() or "{}"), told.read_text() + ran.stderr


def bundle_of(target: str) -> dict[str, Any]:
    """Return the bundle with the values of a target, as `databricks bundle` passes it on."""
    values = BUNDLE["targets"][target].get("variables", {})
    variables = {
        name: {"value": values.get(name, variable.get("default", ""))} for name, variable in BUNDLE["variables"].items()
    }
    return {
        "bundle": {"name": BUNDLE["bundle"]["name"], "target": target},
        "python": {"resources": BUNDLE["python"]["resources"]},
        "variables": variables,
    }


@pytest.fixture(scope="module", params=TARGETS)
def resources(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    code, loaded, told = load(tmp_path_factory.mktemp("bundle"), bundle_of(request.param))
    assert code == 0, told
    assert "error" not in told
    return loaded["resources"]


@pytest.fixture
def job(resources: dict[str, Any]) -> dict[str, Any]:
    return resources["jobs"]["mfcc_job"]


@pytest.fixture
def cluster(job: dict[str, Any]) -> dict[str, Any]:
    (only,) = job["job_clusters"]
    return only["new_cluster"]


def test_there_are_two_targets_and_development_is_the_default() -> None:
    assert TARGETS == ["dev", "prod"]
    assert [name for name in TARGETS if BUNDLE["targets"][name].get("default")] == ["dev"]
    assert {name: BUNDLE["targets"][name]["mode"] for name in TARGETS} == {"dev": "development", "prod": "production"}


def test_each_variable_that_is_used_is_defined_and_each_defined_one_is_used(resources: dict[str, Any]) -> None:
    used = re.findall(r"\$\{var\.(\w+)}", json.dumps(resources) + json.dumps(BUNDLE["workspace"]))
    set_by_targets = {name for target in BUNDLE["targets"].values() for name in target.get("variables", {})}

    assert set(used) == set(BUNDLE["variables"])
    assert set_by_targets <= set(BUNDLE["variables"])


def test_each_resource_that_is_referred_to_is_in_the_bundle(resources: dict[str, Any]) -> None:
    referred = re.findall(r"\$\{resources\.(\w+)\.(\w+)\.(\w+)}", json.dumps(resources))

    assert referred
    assert all(field in resources[kind][name] for kind, name, field in referred)


def test_the_models_of_the_library_refuse_fields_that_do_not_exist(job: dict[str, Any]) -> None:
    cluster = {**job["job_clusters"][0]["new_cluster"], "photon": False}
    wrong: Any = {**job, "job_clusters": [{"job_cluster_key": "workers", "new_cluster": cluster}]}

    with pytest.raises(Exception, match="photon"):
        Job.from_dict(wrong)


def test_the_cluster_is_cheap_dedicated_and_of_a_runtime_with_long_support(cluster: dict[str, Any]) -> None:
    assert BUNDLE["variables"]["runtime"]["default"] == "18.x-scala2.13"
    assert cluster["spark_version"] == "${var.runtime}"
    assert cluster["runtime_engine"] == "STANDARD"
    assert cluster["data_security_mode"] == "SINGLE_USER"
    assert cluster["azure_attributes"]["availability"] == "SPOT_WITH_FALLBACK_AZURE"
    assert cluster["azure_attributes"]["first_on_demand"] == 1
    assert cluster["autoscale"] == {"min_workers": "${var.min_workers}", "max_workers": "${var.max_workers}"}


@pytest.mark.parametrize("target", ["dev", "prod"])
def test_the_work_is_cut_for_all_cores_that_the_cluster_can_get(cluster: dict[str, Any], target: str) -> None:
    assert cluster["spark_conf"]["spark.mfcc.cores"] == "${var.cores}"
    of_target = BUNDLE["targets"][target]["variables"]
    assert BUNDLE["variables"]["node_type"]["default"] == "Standard_D8ds_v5"
    assert int(of_target["cores"]) == 8 * int(of_target["max_workers"])


def test_numba_has_a_folder_of_the_local_disk_before_any_process_imports_it(cluster: dict[str, Any]) -> None:
    assert cluster["spark_env_vars"]["NUMBA_CACHE_DIR"].startswith("/local_disk0/")
    assert cluster["init_scripts"] == [{"volumes": {"destination": "${workspace.artifact_path}/init_script.sh"}}]
    assert BUNDLE["workspace"]["artifact_path"].startswith("/Volumes/")


def test_a_cluster_has_no_other_secret_than_that_of_its_own_identity(cluster: dict[str, Any]) -> None:
    secrets = re.findall(r"\{\{secrets/(.+?)/([\w-]+)}}", json.dumps(cluster))

    assert secrets == [("${resources.secret_scopes.mfcc_secrets.name}", "databricks-client-secret")]
    assert "SQL" not in json.dumps(cluster).upper()


def test_the_secrets_are_those_of_the_key_vault(resources: dict[str, Any]) -> None:
    scope = resources["secret_scopes"]["mfcc_secrets"]

    assert scope["backend_type"] == "AZURE_KEYVAULT"
    assert scope["keyvault_metadata"] == {"resource_id": "${var.vault_id}", "dns_name": "${var.vault_url}"}


def test_unity_catalog_reads_containers_by_the_access_connector_and_writes_to_none(resources: dict[str, Any]) -> None:
    locations = resources["external_locations"].values()

    assert {location["credential_name"] for location in locations} == {"${var.storage_credential}"}
    assert all(location["read_only"] is True for location in locations)
    assert {location["url"].partition("@")[0] for location in locations} == {
        f"abfss://{container}" for container in ("cepstra", "soundtracks", "artworks")
    }
    assert {volume["volume_type"] for volume in resources["volumes"].values()} == {"EXTERNAL"}


def test_unity_catalog_reads_an_account_of_its_own_which_needs_a_hierarchical_namespace() -> None:
    assert settings_of("databricks", "Microsoft.Storage/storageAccounts")["isHnsEnabled"] == "true"
    # An account has either such a namespace, or previous versions of blobs.
    assert "isHnsEnabled" not in settings_of("storage", "Microsoft.Storage/storageAccounts")
    assert "isVersioningEnabled" not in read(MODULES / "databricks.bicep").text
    text = read(MODULES / "databricks.bicep").text
    assert "guid(tables.id, connector.id, roles.storageBlobDataReader)" in text


def test_the_job_runs_a_script_of_the_wheel_with_the_parameters_of_pipes(job: dict[str, Any]) -> None:
    (task,) = job["tasks"]
    wheel = task["python_wheel_task"]

    assert wheel["entry_point"] in PROJECT["project"]["scripts"]
    assert wheel["package_name"] == PROJECT["project"]["name"].replace("-", "_")
    assert task["libraries"] == [{"whl": "../../dist/*.whl"}]
    assert [parameter["name"] for parameter in job["parameters"]] == ["DAGSTER_PIPES_CONTEXT", "DAGSTER_PIPES_MESSAGES"]
    assert all(f"{{{{job.parameters.{each['name']}}}}}" in json.dumps(wheel) for each in job["parameters"])


def test_the_init_script_installs_the_wheel_and_compiles_the_kernels_for_all_users(tmp_path: Path) -> None:
    wheels, cache, log = tmp_path / "wheels", tmp_path / "disk" / "numba", tmp_path / "log"
    wheels.mkdir()
    (wheels / "mfcc_assets-0.1.0-py3-none-any.whl").touch()
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >> {log}\ntouch "$NUMBA_CACHE_DIR/kernel"\n')
    python.chmod(0o755)
    variables = {"NUMBA_CACHE_DIR": str(cache), "WHEEL_FOLDER": str(wheels), "NODE_PYTHON": str(python)}

    subprocess.run([FOLDER / "init_script.sh"], env={**os.environ, **variables}, check=True)

    installed, compiled = log.read_text().splitlines()
    assert installed.endswith("mfcc_assets-0.1.0-py3-none-any.whl[azure]")
    assert f"--constraint {tmp_path}/runtime-18.txt" in installed
    assert (FOLDER / "runtime-18.txt").exists()
    assert "azure" in PROJECT["project"]["optional-dependencies"]
    code = compiled.removeprefix("-c ")
    assert compile(code, "init_script.sh", "exec")
    assert code == "from mfcc_assets.warm_up import warm_up; warm_up()"
    assert cache.stat().st_mode & 0o777 == 0o777
    assert (cache / "kernel").stat().st_mode & 0o666 == 0o666


def test_the_init_script_fails_without_a_wheel(tmp_path: Path) -> None:
    variables = {
        "NUMBA_CACHE_DIR": str(tmp_path / "numba" / "cache"),
        "WHEEL_FOLDER": str(tmp_path),
        "NODE_PYTHON": str(shutil.which("false")),
    }

    assert subprocess.run([FOLDER / "init_script.sh"], env={**os.environ, **variables}, check=False).returncode != 0
