"""Settings, secrets, ports, images and commands have the same names in code, Bicep, compose.yaml and images."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mfcc_assets.settings import Settings
from mfcc_assets_tests.deploy.bicep_files import DEPLOY, FILES, FOLDER, PARAMETERS, BicepFile, read, walk

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
DAGSTER = read(FOLDER / "modules" / "dagster.bicep")
FUNCTIONS = read(FOLDER / "modules" / "functions.bicep")
MAIN = read(FOLDER / "main.bicep")

SETTINGS = {f"MFCC_{name.upper()}" for name in Settings.model_fields}
SECRET = "MFCC_SECRET_"
AZURE_NEEDS = {"MFCC_PROFILE", "MFCC_BLOB_URL", "MFCC_COSMOS_URL", "MFCC_DATABASE_URL"}
PLATFORM = {"dagster-ui-client-secret"}
"""Secrets that only the platform reads."""


def settings_of_all() -> set[str]:
    return set(MAIN.properties(MAIN.assigned["settings"]))


def command_of(name: str) -> list[str]:
    """Return the command with which the Bicep starts a process of Dagster."""
    (body,) = [each.body for each in DAGSTER.resources if each.name == name]
    (command,) = [
        DAGSTER.properties(node)["command"]
        for node in walk(body)
        if node.type == "object" and {"image", "command"} <= set(DAGSTER.properties(node))
    ]
    ports = {f"${{{port}}}": DAGSTER.value_of(DAGSTER.assigned[port]) for port in ("codePort", "uiPort")}
    words = [DAGSTER.value_of(word) for word in command.named_children]
    return [ports.get(word, word) for word in words]


@pytest.mark.parametrize(
    "path",
    [*FILES, *PARAMETERS, *DEPLOY.glob("*.yaml"), DEPLOY / "Dockerfile", DEPLOY / "OPERATIONS.md"],
    ids=lambda path: path.name,
)
def test_every_named_setting_exists(path: Path) -> None:
    named = set(re.findall(r"\bMFCC_[A-Z_]+", path.read_text()))
    assert {name for name in named if not name.startswith(SECRET)} <= SETTINGS


@pytest.mark.parametrize("file", [DAGSTER, FUNCTIONS], ids=["dagster", "functions"])
def test_every_process_in_azure_gets_the_settings_of_the_profile(file: BicepFile) -> None:
    given = settings_of_all() | {name for name, _ in file.named_values()}
    assert given >= AZURE_NEEDS | {"MFCC_KEY_VAULT_URL", "AZURE_CLIENT_ID"}


def test_the_twin_gets_the_settings_of_the_profile() -> None:
    assert set(COMPOSE["x-environment"]) >= AZURE_NEEDS
    twin = {name: str(value) for name, value in COMPOSE["x-environment"].items() if name in SETTINGS}
    values: dict[str, Any] = {name.removeprefix("MFCC_").lower(): value for name, value in twin.items()}
    assert Settings(**values).profile == "azure"


def test_the_address_of_the_database_names_the_identity_that_connects() -> None:
    addresses = [value for file in (DAGSTER, FUNCTIONS) for name, value in file.named_values() if "DATABASE" in name]
    form = r"mssql\+mssqlpython://\$\{(\w+)\.clientId\}@\$\{sqlServer\}/\$\{sqlDatabase\}\?authentication=ActiveDirectoryMSI"
    matched = [re.fullmatch(form, address) for address in addresses]
    assert [match and match[1] for match in matched] == ["writer", "owner", "reader"]


def test_the_code_or_the_platform_reads_every_secret_of_a_stage() -> None:
    code = "".join(path.read_text() for path in (DEPLOY.parent / "mfcc_assets").rglob("*.py"))
    for path in PARAMETERS:
        file = read(path)
        secrets = set(file.properties(file.assigned["secrets"]))
        assert "signing-key" in secrets
        assert [name for name in secrets - PLATFORM if f'"{name}"' not in code] == []


def test_a_secret_comes_from_the_variable_that_the_code_reads() -> None:
    for path in PARAMETERS:
        for name, variable in re.findall(r"'([a-z-]+)': readEnvironmentVariable\('(MFCC_\w+)'", path.read_text()):
            assert variable == SECRET + name.upper().replace("-", "_")


def test_the_sign_in_reads_the_secret_of_the_stage() -> None:
    (secret,) = PLATFORM
    assert f"secrets/{secret}'" in DAGSTER.text
    assert all(secret in path.read_text() for path in PARAMETERS)


def test_the_twin_gets_every_secret_that_it_names() -> None:
    environment = COMPOSE["x-environment"]
    named = {value for name, value in environment.items() if name.endswith("_SECRET")} | {"signing-key"}
    given = {name for name in environment if name.startswith(SECRET)}
    assert given == {SECRET + name.upper().replace("-", "_") for name in named}
    assert all(str(environment[name]).startswith(f"${{{name}:?") for name in given)


@pytest.mark.parametrize("process", ["code", "daemon", "webserver"])
def test_a_process_of_dagster_has_the_same_command_in_the_cloud_and_in_the_twin(process: str) -> None:
    assert command_of(process) == COMPOSE["services"][process]["command"]


def test_the_code_server_has_the_same_address_everywhere() -> None:
    (location,) = yaml.safe_load((DEPLOY / "workspace.yaml").read_text())["load_from"]
    host, port = location["grpc_server"]["host"], location["grpc_server"]["port"]
    command = COMPOSE["services"][host]["command"]
    assert command[command.index("-p") + 1] == str(port) == DAGSTER.value_of(DAGSTER.assigned["codePort"])
    assert f"name: '{host}'" in DAGSTER.text


def test_the_image_contains_the_homes_of_dagster() -> None:
    homes = set(re.findall(r"(/opt/dagster/[\w-]+)/dagster\.yaml", DOCKERFILE))
    in_azure = set(re.findall(r"/opt/dagster/[\w-]+(?=')", DAGSTER.text))
    assert homes == in_azure | {COMPOSE["x-environment"]["DAGSTER_HOME"]}
    assert "/opt/dagster/workspace.yaml" in DOCKERFILE


@pytest.mark.parametrize("name", ["dagster", "dagster-job-per-run"])
def test_dagster_gets_the_variables_that_it_reads(name: str) -> None:
    read_of_environment = set(re.findall(r"env: (\w+)", (DEPLOY / f"{name}.yaml").read_text()))
    assert read_of_environment <= {variable for variable, _ in DAGSTER.named_values()}


def test_dagster_on_the_twin_gets_the_variables_that_it_reads() -> None:
    read_of_environment = set(re.findall(r"env: (\w+)", (DEPLOY / "dagster-twin.yaml").read_text()))
    assert read_of_environment <= set(COMPOSE["x-environment"])


def test_a_job_gets_the_environment_of_the_code_server() -> None:
    launcher = yaml.safe_load((DEPLOY / "dagster-job-per-run.yaml").read_text())["run_launcher"]["config"]
    given = settings_of_all() | {name for name, _ in DAGSTER.named_values()}
    about_the_container = {"DAGSTER_CONTAINER_IMAGE", "DAGSTER_CONTAINER_CONTEXT"}
    assert set(launcher["env_vars"]) == given - about_the_container


def test_the_output_of_steps_goes_to_the_deployed_container() -> None:
    storage = read(FOLDER / "modules" / "storage.bicep")
    logs = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())["compute_logs"]["config"]["container"]
    assert logs == storage.value_of(storage.assigned["logsContainer"])


def test_the_images_have_the_same_names_everywhere() -> None:
    targets = set(re.findall(r"^FROM .* AS (mfcc|functions)$", DOCKERFILE, re.MULTILINE))
    built = {
        (service["build"]["target"], service["image"])
        for service in COMPOSE["services"].values()
        if "target" in service.get("build", {})
    } | {(COMPOSE["x-image"]["build"]["target"], COMPOSE["x-image"]["image"])}
    assert {target for target, _ in built} == targets
    pulled = set(re.findall(r"\$\{registryServer\}/([\w-]+):", DAGSTER.text + FUNCTIONS.text))
    assert pulled == {image for _, image in built}


def test_the_functions_host_listens_on_the_port_of_the_ingress() -> None:
    port = FUNCTIONS.value_of(FUNCTIONS.assigned["port"])
    assert f"ASPNETCORE_URLS=http://+:{port}" in DOCKERFILE
    assert COMPOSE["services"]["functions"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_the_webserver_listens_on_the_published_port() -> None:
    port = DAGSTER.value_of(DAGSTER.assigned["uiPort"])
    assert COMPOSE["services"]["webserver"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"127.0.0.1:{port}/server_info" in json.dumps(COMPOSE["services"]["webserver"]["healthcheck"])
