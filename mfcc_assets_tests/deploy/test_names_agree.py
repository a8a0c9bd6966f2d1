"""Settings, secrets, ports, images and commands have the same names in code, Bicep, compose.yaml and images."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mfcc_assets.cli.database import grant
from mfcc_assets.cli.main import main
from mfcc_assets.settings import Settings
from mfcc_assets_tests.deploy.bicep_files import DEPLOY, FILES, FOLDER, PARAMETERS, BicepFile, read, walk

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
DAGSTER = read(FOLDER / "modules" / "dagster.bicep")
FUNCTIONS = read(FOLDER / "modules" / "functions.bicep")
WEB = read(FOLDER / "modules" / "web.bicep")
MAIN = read(FOLDER / "main.bicep")

SETTINGS = {f"MFCC_{name.upper()}" for name in Settings.model_fields}
SECRET = "MFCC_SECRET_"
AZURE_NEEDS = {"MFCC_PROFILE", "MFCC_BLOB_URL", "MFCC_COSMOS_URL", "MFCC_DATABASE_URL"}
PLATFORM = {"dagster-ui-client-secret"}
"""Secrets that only the platform reads."""


def settings_of_all() -> set[str]:
    return set(MAIN.properties(MAIN.assigned["settings"]))


def command_of(file: BicepFile, name: str) -> list[str]:
    """Return the command with which the Bicep starts a process."""
    (body,) = [each.body for each in file.resources if each.name == name]
    (command,) = [
        file.properties(node)["command"]
        for node in walk(body)
        if node.type == "object" and {"image", "command"} <= set(file.properties(node))
    ]
    ports = {
        f"${{{port}}}": file.value_of(file.assigned[port])
        for port in ("codePort", "uiPort", "port")
        if port in file.assigned
    }
    words = [file.value_of(word) for word in command.named_children]
    return [ports.get(word, word) for word in words]


@pytest.mark.parametrize(
    "path",
    [*FILES, *PARAMETERS, *DEPLOY.glob("*.yaml"), DEPLOY / "Dockerfile", DEPLOY / "OPERATIONS.md"],
    ids=lambda path: path.name,
)
def test_every_named_setting_exists(path: Path) -> None:
    named = set(re.findall(r"\bMFCC_[A-Z_]+", path.read_text()))
    assert {name for name in named if not name.startswith(SECRET)} <= SETTINGS


@pytest.mark.parametrize("file", [DAGSTER, FUNCTIONS, WEB], ids=["dagster", "functions", "web"])
def test_every_process_in_azure_gets_the_settings_of_the_profile(file: BicepFile) -> None:
    given = settings_of_all() | {name for name, _ in file.named_values()}
    assert given >= AZURE_NEEDS | {"MFCC_KEY_VAULT_URL", "AZURE_CLIENT_ID"}


def test_the_twin_gets_the_settings_of_the_profile() -> None:
    assert set(COMPOSE["x-environment"]) >= AZURE_NEEDS
    twin = {name: str(value) for name, value in COMPOSE["x-environment"].items() if name in SETTINGS}
    values: dict[str, Any] = {name.removeprefix("MFCC_").lower(): value for name, value in twin.items()}
    assert Settings(**values).profile == "azure"


def test_the_address_of_the_database_names_the_identity_that_connects() -> None:
    addresses = [
        value for file in (DAGSTER, FUNCTIONS, WEB) for name, value in file.named_values() if "DATABASE" in name
    ]
    form = r"mssql\+mssqlpython://\$\{(\w+)\.clientId\}@\$\{sqlServer\}/\$\{sqlDatabase\}\?authentication=ActiveDirectoryMSI"
    matched = [re.fullmatch(form, address) for address in addresses]
    assert [match and match[1] for match in matched] == ["writer", "owner", "reader", "pages"]


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
    assert all(f"secrets/{secret}'" in file.text for file in (DAGSTER, WEB))
    assert all(secret in path.read_text() for path in PARAMETERS)


def test_the_twin_gets_every_secret_that_it_names() -> None:
    environment = COMPOSE["x-environment"]
    named = {value for name, value in environment.items() if name.endswith("_SECRET")} | {"signing-key"}
    given = {name for name in environment if name.startswith(SECRET)}
    assert given == {SECRET + name.upper().replace("-", "_") for name in named}
    assert all(str(environment[name]).startswith(f"${{{name}:?") for name in given)


@pytest.mark.parametrize(
    ("file", "process"), [(DAGSTER, "code"), (DAGSTER, "daemon"), (DAGSTER, "webserver"), (WEB, "web")]
)
def test_a_process_has_the_same_command_in_the_cloud_and_in_the_twin(file: BicepFile, process: str) -> None:
    assert command_of(file, process) == COMPOSE["services"][process]["command"]


def test_the_pages_start_with_options_that_they_have() -> None:
    program, command, *options = command_of(WEB, "web")
    assert program == "mfcc"
    parsed = main.commands[command].make_context(command, options).params
    assert (parsed["host"], parsed["port"]) == ("0.0.0.0", int(WEB.value_of(WEB.assigned["port"])))


def test_the_pages_know_their_names_and_proxies_and_the_address_of_the_ui() -> None:
    given = dict(WEB.named_values())
    assert given["MFCC_WEB_TRUSTED_HOSTS"].startswith("web.${environmentDomain},")
    assert given["MFCC_DAGSTER_URL"] == "https://webserver.${environmentDomain}"
    default = MAIN.parameters["webProxies"]
    assert default.has_default
    (proxies,) = re.findall(r"param webProxies string = '(.*)'", MAIN.text)
    settings = Settings(web_proxies=proxies, web_trusted_hosts="web.example,", web_login="header")
    assert settings.web_hosts[-1] == "web.example"
    assert len(settings.web_proxy_addresses) == 2


def test_the_pages_of_the_twin_link_to_its_ui_and_are_probed() -> None:
    web = COMPOSE["services"]["web"]
    port = WEB.value_of(WEB.assigned["port"])
    assert web["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert web["environment"]["MFCC_DAGSTER_URL"] == "http://127.0.0.1:3000"
    assert f"127.0.0.1:{port}/readyz" in json.dumps(web["healthcheck"])


def test_the_names_in_the_grants_are_options_of_the_command() -> None:
    (granted,) = re.findall(r"mfcc database grant (.*)'", DAGSTER.text)
    options = {option for parameter in grant.params for option in parameter.opts}
    assert set(re.findall(r"--\w+", granted)) == options - {"--help"}


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
    pulled = set(re.findall(r"\$\{registryServer\}/([\w-]+):", DAGSTER.text + FUNCTIONS.text + WEB.text))
    assert pulled == {image for _, image in built}


def test_the_functions_host_listens_on_the_port_of_the_ingress() -> None:
    port = FUNCTIONS.value_of(FUNCTIONS.assigned["port"])
    assert f"ASPNETCORE_URLS=http://+:{port}" in DOCKERFILE
    assert COMPOSE["services"]["functions"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_the_webserver_listens_on_the_published_port() -> None:
    port = DAGSTER.value_of(DAGSTER.assigned["uiPort"])
    assert COMPOSE["services"]["webserver"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"127.0.0.1:{port}/server_info" in json.dumps(COMPOSE["services"]["webserver"]["healthcheck"])
