"""compose.yaml is valid, contains no secrets, and can be reached only from this machine."""

import base64
import json
import re
import secrets
import sys
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from jsonschema.validators import validator_for

from mfcc_assets.storage.documents.cosmos import CosmosDocuments
from mfcc_assets_tests.deploy.bicep_files import DEPLOY
from mfcc_assets_tests.services.processes import REPOSITORY, accepts_connections, free_port, running_server

TEXT = (DEPLOY / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
SCHEMA = json.loads((files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())
VALIDATOR = validator_for(SCHEMA)(SCHEMA)


def test_compose_yaml_follows_the_schema_of_compose() -> None:
    VALIDATOR.validate(COMPOSE)


def test_the_schema_refuses_an_unknown_key() -> None:
    wrong = {**COMPOSE, "services": {"code": {**SERVICES["code"], "restrat": "always"}}}
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(wrong)


def test_every_port_is_open_only_to_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_secrets_must_be_set_in_the_environment() -> None:
    secret = re.compile(r"SECRET_\w+|PASSWORD|ACCOUNTS")
    for name, value in [pair for service in SERVICES.values() for pair in service.get("environment", {}).items()]:
        if secret.search(name) and not name.endswith("_SECRET"):
            assert re.search(r"\$\{MFCC_SECRET_\w+:\?", str(value)), name


def test_servers_start_before_the_services_that_need_them() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[needed], f"{name} needs {needed}"
            else:
                assert SERVICES[needed]["restart"] == "no", f"{name} needs {needed}"
    assert set(SERVICES["upgrade"]["depends_on"]) == {"azurite", "cosmos", "postgres"}


def test_every_volume_is_mounted() -> None:
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert mounted == set(COMPOSE["volumes"])


def test_every_image_has_a_version() -> None:
    pulled = [service["image"] for service in SERVICES.values() if "build" not in service]
    assert pulled
    assert all(re.search(r":\d+", image) for image in pulled)


def test_the_cosmos_server_starts_with_its_command(tmp_path: Path) -> None:
    service, key = SERVICES["cosmos"], base64.b64encode(secrets.token_bytes(48)).decode()
    _, _, folder = service["command"]
    assert folder == "/run/secrets"
    for secret in service["secrets"]:
        (tmp_path / secret["target"]).write_text(key)
    port = free_port()
    command: list[str | Path] = [
        "node",
        REPOSITORY / "mfcc_assets_tests/services/cosmos_server.js",
        "127.0.0.1",
        str(port),
        tmp_path,
    ]
    modules = {"NODE_PATH": str(Path(sys.prefix) / "servers/node_modules")}
    with (
        running_server(command, tmp_path / "log", lambda: accepts_connections(port), environment=modules),
        closing(CosmosDocuments(f"http://127.0.0.1:{port}", lambda: key, "mfcc", retention_seconds=None)) as documents,
    ):
        documents.put("an-upload", {"state": "received", "received": "2026-11-27T08:00:00+00:00"})
        assert documents.ids("received") == {"an-upload"}


def test_processes_cannot_gain_privileges() -> None:
    assert all("no-new-privileges:true" in service["security_opt"] for service in SERVICES.values())
