"""The commands, names and links on the operations page exist."""

import re
from pathlib import Path

import pytest

from mfcc_assets.cli.index import index
from mfcc_assets.cli.main import main
from mfcc_assets_tests.deploy.bicep_files import DEPLOY, FOLDER, read, walk

PAGE = (DEPLOY / "OPERATIONS.md").read_text()
PAGES = [DEPLOY / "OPERATIONS.md", DEPLOY / "COSTS.md"]


def test_every_mfcc_command_exists() -> None:
    called = set(re.findall(r"(?:[`\"]|\$ )mfcc ([a-z][a-z-]*)", PAGE))
    assert {"database", "index", "library", "purge"} <= called
    assert called <= set(main.commands)
    assert set(re.findall(r"mfcc index ([a-z]+)", PAGE)) <= set(index.commands)


def test_every_named_app_and_group_is_deployed() -> None:
    modules = [read(FOLDER / "modules" / f"{name}.bicep") for name in ("dagster", "functions", "web")]
    deployed = {
        file.value_of(file.properties(each.body)["name"])
        for file in modules
        for each in file.resources
        if re.match(r"Microsoft\.App/(containerApps|jobs)@", each.type)
    }
    assert set(re.findall(r"-n (code|daemon|webserver|functions|web|upgrade)\b", PAGE)) <= deployed
    # `az containerapp exec` would look for a file whose name is the whole command with its arguments.
    assert "exec -g" in PAGE
    assert "--command" not in PAGE
    main_bicep = read(FOLDER / "main.bicep")
    names = {main_bicep.value_of(node) for node in walk(main_bicep.root) if node.type == "string"}
    groups = {"rg-${base}", "log-${base}"}
    assert groups <= names
    assert set(re.findall(r"(rg|log)-mfcc-prod", PAGE)) == {name.partition("-")[0] for name in groups}


def test_every_named_output_exists() -> None:
    named = set(re.findall(r"properties\.outputs\.(\w+)\.value", PAGE)) | {"environmentDomain"}
    assert named <= read(FOLDER / "main.bicep").outputs


def test_every_named_parameter_and_variable_exists() -> None:
    parameters = set(read(FOLDER / "main.bicep").parameters)
    assert set(re.findall(r"`(\w+) = \w+`", PAGE)) <= parameters
    exported = set(re.findall(r"export ([A-Z_]+)=", PAGE)) | set(re.findall(r"export IMAGE_TAG=.* (SERVER)=", PAGE))
    for path in FOLDER.glob("*.bicepparam"):
        needed = set(re.findall(r"readEnvironmentVariable\('(\w+)'", path.read_text())) - {"MFCC_SECRET_AUDD_TOKEN"}
        assert needed <= exported


def test_the_page_creates_the_secrets_of_the_twin() -> None:
    needed = set(re.findall(r"\$\{(MFCC_SECRET_\w+):", (DEPLOY / "compose.yaml").read_text()))
    assert needed == set(re.findall(r"(MFCC_SECRET_\w+)=%s", PAGE))
    assert ".env" in (DEPLOY / ".gitignore").read_text().split()


def test_every_task_has_a_section() -> None:
    sections = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    wanted = ["Deploy", "Rotate", "Back up and restore", "Purge an upload", "Roll back an index", "Watch", "Scale"]
    assert [section for section in wanted if section not in sections] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
        assert (DEPLOY / target).exists(), target
