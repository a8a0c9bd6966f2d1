"""The Bicep files parse and fit together, and only the intended parts can be reached from the internet."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline.api_keys import make_key
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import CONTAINERS
from mfcc_assets.storage.documents.cosmos_account import CONTAINER, INDEXING_POLICY, PARTITION_KEY
from mfcc_assets.web.app import create_app
from mfcc_assets.web.security import login
from mfcc_assets_tests.deploy.bicep_files import (
    FILES,
    FOLDER,
    MODULES,
    PARAMETERS,
    BicepFile,
    read,
    resource,
    settings_of,
    walk,
)

MAIN = FOLDER / "main.bicep"
ROLES = json.loads((FOLDER / "roles.json").read_text())
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

CLOSED = {
    "Microsoft.Storage/storageAccounts",
    "Microsoft.DocumentDB/databaseAccounts",
    "Microsoft.Sql/servers",
    "Microsoft.KeyVault/vaults",
    "Microsoft.Databricks/workspaces",
}


def named(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


@pytest.mark.parametrize("path", [*FILES, *PARAMETERS], ids=named)
def test_every_file_parses(path: Path) -> None:
    assert read(path).faults == []


def test_invalid_bicep_is_found(tmp_path: Path) -> None:
    path = tmp_path / "wrong.bicep"
    path.write_text("resource x = {\n  name 'x'\n")
    assert BicepFile(path).faults


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_module_gets_all_required_parameters_and_no_unknown_ones(path: Path) -> None:
    for module in read(path).modules.values():
        parameters = read(module.file.resolve()).parameters
        needed = {parameter.name for parameter in parameters.values() if not parameter.has_default}
        assert needed <= module.given <= set(parameters), module.name


def test_every_module_is_used() -> None:
    used = {module.file.resolve() for path in FILES for module in read(path).modules.values()}
    assert used | {MAIN} == set(FILES)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_parameter_and_variable_is_read(path: Path) -> None:
    file = read(path)
    assert set(file.parameters) | set(file.assigned) <= set(file.read_names)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_name_that_is_read_is_declared(path: Path) -> None:
    file = read(path)
    declared = {*file.parameters, *file.assigned, *file.modules, *(each.name for each in file.resources)}
    introduced = [node for node in walk(file.root) if node.type in ("for_statement", "lambda_expression")]
    local = {
        name for node in introduced for name in re.findall(r"\w+", file.text_of(node).split(":")[0].split("=>")[0])
    }
    functions = {file.text_of(node.named_children[0]) for node in walk(file.root) if node.type == "call_expression"}
    types = {"string", "int", "bool", "object", "array", "description", "secure", "allowed"}
    assert set(file.read_names) <= declared | local | functions | types


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_output_that_is_read_exists(path: Path) -> None:
    file = read(path)
    for head, *rest in file.members():
        if head in file.modules and rest[0] == "outputs":
            assert rest[1] in read(file.modules[head].file.resolve()).outputs, f"{head}.{'.'.join(rest)}"


@pytest.mark.parametrize("path", PARAMETERS, ids=named)
def test_every_stage_sets_all_required_parameters_and_no_unknown_ones(path: Path) -> None:
    parameters = read(MAIN).parameters
    needed = {parameter.name for parameter in parameters.values() if not parameter.has_default}
    assert needed <= set(read(path).assigned) <= set(parameters)


def test_stores_can_be_reached_only_from_their_own_network() -> None:
    for path in FILES:
        file = read(path)
        for each in file.resources:
            if each.type.partition("@")[0] in CLOSED:
                properties = file.properties(file.properties(each.body)["properties"])
                assert file.value_of(properties["publicNetworkAccess"]) == "Disabled", each.name
    file, server = resource("postgres", "Microsoft.DBforPostgreSQL/flexibleServers")
    properties = file.properties(file.properties(server.body)["properties"])
    assert "publicNetworkAccess: 'Disabled'" in file.text_of(properties["network"])


def test_no_file_opens_a_service_to_the_internet() -> None:
    assert not any(re.search(r"publicNetworkAccess: 'Enabled'|0\.0\.0\.0/0", read(path).text) for path in FILES)


def test_every_closed_service_has_a_private_endpoint() -> None:
    parts = {
        (path.stem, file.value_of(file.properties(file.properties(body)["params"])["part"]))
        for path in FILES
        for file in [read(path)]
        for node in walk(file.root)
        if node.type == "module_declaration" and "endpoint.bicep" in file.text_of(node)
        for body in [next(child for child in walk(node) if child.type == "object")]
    }
    assert parts == {
        ("cosmos", "Sql"),
        ("databricks", "blob"),
        ("databricks", "browser_authentication"),
        ("databricks", "databricks_ui_api"),
        ("databricks", "dfs"),
        ("postgres", "postgresqlServer"),
        ("sql", "sqlServer"),
        ("storage", "blob"),
        ("vault", "vault"),
    }


def test_stores_accept_no_keys_and_no_passwords() -> None:
    for module in ("storage", "databricks"):
        account = settings_of(module, "Microsoft.Storage/storageAccounts")
        assert account["allowSharedKeyAccess"] == account["allowBlobPublicAccess"] == "false"
        assert account["minimumTlsVersion"] == "TLS1_2"
    assert settings_of("cosmos", "Microsoft.DocumentDB/databaseAccounts")["disableLocalAuth"] == "true"
    assert "azureADOnlyAuthentication: true" in settings_of("sql", "Microsoft.Sql/servers")["administrators"]
    postgres = settings_of("postgres", "Microsoft.DBforPostgreSQL/flexibleServers")
    assert "passwordAuth: 'Disabled'" in postgres["authConfig"]
    registry = settings_of("registry", "Microsoft.ContainerRegistry/registries")
    assert registry["adminUserEnabled"] == "false"


def test_the_vault_keeps_deleted_secrets() -> None:
    vault = settings_of("vault", "Microsoft.KeyVault/vaults")
    kept = ("enableRbacAuthorization", "enableSoftDelete", "enablePurgeProtection")
    assert [vault[name] for name in kept] == ["true"] * 3


def test_secrets_are_secure_parameters_without_a_default() -> None:
    secure = {path.stem: p for path in FILES for p in read(path).parameters.values() if "ecret" in p.name}
    assert set(secure) == {"main", "vault"}
    assert all(parameter.is_secure and not parameter.has_default for parameter in secure.values())


@pytest.mark.parametrize("path", [*FILES, *PARAMETERS], ids=named)
def test_no_literal_looks_like_a_secret(path: Path) -> None:
    file = read(path)
    strings = [file.value_of(node) for node in walk(file.root) if node.type == "string"]
    assert [text for text in strings if re.fullmatch(r"[A-Za-z0-9+/=_-]{32,}", text)] == []


def test_role_ids_are_in_one_file_and_all_roles_are_assigned() -> None:
    assert [named(path) for path in FILES if GUID.search(read(path).text)] == []
    given = {parts[1] for path in FILES for parts in read(path).members() if parts[0] == "roles"}
    assert given == set(ROLES)


def test_the_reader_has_no_role_that_can_write() -> None:
    for path in FILES:
        for line in read(path).text.splitlines():
            if re.search(r"guid\(.*reader", line):
                assert re.search(r"roles\.(\w*Reader|storageBlobDelegator|acrPull)\)", line), line


def test_the_reader_cannot_read_secrets() -> None:
    assert "reader" not in read(MODULES / "vault.bicep").text
    vault = next(node for node in walk(read(MAIN).root) if read(MAIN).text_of(node).startswith("module vault "))
    assert "reader" not in read(MAIN).text_of(vault)


def test_the_creator_of_jobs_for_runs_cannot_change_the_job_of_the_schema() -> None:
    given = [path.stem for path in FILES if "roles.containerAppsJobsContributor" in read(path).text]
    assert given == ["runs"]
    assert re.search(r"module runs [^{]*\{[^{]*scope: runsGroup", read(MAIN).text)


def test_the_database_of_dagster_is_created_after_its_administrator() -> None:
    file, database = resource("postgres", "Microsoft.DBforPostgreSQL/flexibleServers/databases")
    assert "administrator" in file.text_of(file.properties(database.body)["dependsOn"])


def test_the_account_has_the_containers_of_the_library() -> None:
    file = read(MODULES / "storage.bicep")
    declared = [file.value_of(node) for node in file.assigned["containers"].named_children]
    assert tuple(declared) == CONTAINERS
    linked = [file.value_of(node) for node in file.assigned["linkedContainers"].named_children]
    assert set(linked) == {"soundtracks", "artworks"}
    assert file.value_of(file.assigned["logsContainer"]) not in CONTAINERS


def test_only_uploads_and_their_copies_expire() -> None:
    file = read(MODULES / "storage.bicep")
    expiry = file.text_of(file.assigned["expiry"])
    assert re.findall(r"'(\w+)/'", expiry) == ["uploads", "batch"]
    assert "retentionDays" in expiry


def test_the_firewall_of_the_storage_account_admits_the_expiry_of_blobs() -> None:
    rules = settings_of("storage", "Microsoft.Storage/storageAccounts")["networkAcls"]
    assert "defaultAction: 'Deny'" in rules
    assert "bypass: 'AzureServices'" in rules


def test_blobs_can_be_restored_to_a_point_in_time() -> None:
    blobs = settings_of("storage", "Microsoft.Storage/storageAccounts/blobServices")
    assert blobs["isVersioningEnabled"] == "true"
    assert all("enabled: true" in blobs[name] for name in ("changeFeed", "restorePolicy", "deleteRetentionPolicy"))
    days = {name: re.search(r"(?:days|retentionInDays): (\w+)", blobs[name]) for name in blobs if "days" in blobs[name]}
    assert {name: found and found[1] for name, found in days.items()} == {
        "restorePolicy": "restoreDays",
        "deleteRetentionPolicy": "undoDays",
        "containerDeleteRetentionPolicy": "undoDays",
    }


def test_the_container_of_documents_is_as_the_code_expects() -> None:
    text = read(MODULES / "cosmos.bicep").text
    assert json.loads((FOLDER / "cosmos-indexing.json").read_text()) == INDEXING_POLICY
    assert f"id: '{CONTAINER}'" in text
    assert f"'{PARTITION_KEY}'" in text
    assert "EnableServerless" in text


def test_documents_expire_a_week_after_the_retention_period() -> None:
    file = read(MODULES / "cosmos.bicep")
    a_day = int(file.value_of(file.assigned["secondsADay"]))
    assert Settings(retention_days=1).document_seconds == (1 + 7) * a_day
    assert "defaultTtl: retentionDays > 0 ? (retentionDays + 7) * secondsADay : -1" in file.text


def test_the_ui_and_the_api_are_behind_a_sign_in() -> None:
    apps = [(read(path), each) for path in FILES for each in read(path).resources]
    signed_in = {
        file.text_of(file.properties(each.body)["parent"]): file.text_of(each.body)
        for file, each in apps
        if each.type.startswith("Microsoft.App/containerApps/authConfigs@")
    }
    reachable = {
        each.name
        for file, each in apps
        if each.type.startswith("Microsoft.App/containerApps@") and "external: true" in file.text_of(each.body)
    }
    assert reachable == set(signed_in) == {"webserver", "functions", "web"}
    assert "RedirectToLoginPage" in signed_in["webserver"]
    assert "Return401" in signed_in["functions"]
    assert "RedirectToLoginPage" in signed_in["web"]
    assert "AllowAnonymous" not in "".join(signed_in.values())


def test_the_pages_are_open_without_a_sign_in_only_where_the_stage_says_so() -> None:
    file = read(MODULES / "web.bicep")
    assert "resource signIn 'Microsoft.App/containerApps/authConfigs@2024-03-01' = if (signsIn)" in file.text
    assert file.text_of(file.assigned["signsIn"]) == "login == 'header'"
    assert "param webLogin string = 'header'" in read(MAIN).text
    allowed = re.search(r"@allowed\(\[([^\]]*)\]\)\nparam webLogin ", read(MAIN).text)
    assert allowed is not None
    assert set(re.findall(r"'(\w+)'", allowed[1])) == set(get_args(Settings.model_fields["web_login"].annotation))


def test_what_needs_no_sign_in_of_the_platform_is_open_or_needs_a_key(tmp_path: Path) -> None:
    text = read(MODULES / "web.bicep").text
    assert "excludedPaths: pathsWithoutSignIn\n" in text
    assert "name: 'MFCC_WEB_PATHS_WITHOUT_LOGIN'\n              value: join(pathsWithoutSignIn, ',')" in text
    (passed,) = re.findall(r"var pathsWithoutSignIn = \[([^\]]*)\]", text)
    paths = re.findall(r"'(/\w+(?:/\*)?)'", passed)
    assert len(paths) == len(passed.split())
    assert {"/api/*", "/rest/*", "/metrics"} <= set(paths)
    settings = Settings(
        home=tmp_path / "home",
        web_login="header",
        web_proxies="127.0.0.1",
        web_paths_without_login=",".join(paths),
    )
    with Library(settings) as library:
        pages = create_app(library).test_client()
        forged = {"X-MS-CLIENT-PRINCIPAL-NAME": "boss@example.org"}
        key = {"Authorization": f"Bearer {make_key(library, 'player', is_operator=False)}"}
        for address in ("/api/v1/genres", "/API/v1/genres", "/api/uploads/latest", "/metrics"):
            assert pages.get(address, headers=forged).status_code in (401, 403), address
        for address in ("/api/v1/genres", "/metrics"):
            assert pages.get(address, headers={**forged, **key}).status_code == 200
        assert "failed" in pages.get("/rest/getArtists", headers=forged).text
        # What is left has no library in it.
        assert pages.get("/healthz").text == "alive"
        assert pages.get("/language/zh").status_code == 302
        assert [pages.get(f"/{name}/nothing", headers=forged).status_code for name in ("static", "shared")] == [404] * 2
        # The header still counts where the platform asks for the sign-in.
        assert [pages.get("/library", headers=headers).status_code for headers in (forged, {})] == [200, 403]


def test_the_pages_themselves_call_nothing_that_needs_a_key() -> None:
    front = Path(login.__file__).parents[1]
    files = [*(front / "static" / "js").rglob("*.js"), *(front / "templates").rglob("*.html")]
    assert len(files) > 10
    assert [file.name for file in files if re.search(r"[\"'`]/(?:api|rest|metrics)\b", file.read_text())] == []


def test_one_process_serves_the_pages() -> None:
    file, web = resource("web", "Microsoft.App/containerApps")
    scale = file.properties(
        file.properties(file.properties(file.properties(web.body)["properties"])["template"])["scale"]
    )
    assert file.value_of(scale["maxReplicas"]) == "1"
    assert re.search(r"@minValue\(0\)\n@maxValue\(1\)\nparam webReplicas int = 1", read(MAIN).text)


def test_probes_ask_for_the_pages_by_a_name_that_they_know_and_only_the_first_reads_stores() -> None:
    file, _ = resource("web", "Microsoft.App/containerApps")
    probes = [
        file.properties(node)
        for node in walk(file.root)
        if node.type == "object" and {"type", "httpGet"} <= set(file.properties(node))
    ]
    asked = {file.value_of(each["type"]): file.text_of(each["httpGet"]) for each in probes}
    assert {kind: re.findall(r"path: '(.*)'", text) for kind, text in asked.items()} == {
        "Startup": ["/readyz"],
        "Readiness": ["/healthz"],
        "Liveness": ["/healthz"],
    }
    for text in asked.values():
        assert re.findall(r"name: 'Host'\s+value: '(.*)'", text) == ["localhost"]
    (first,) = [each for each in probes if file.value_of(each["type"]) == "Startup"]
    # SQL takes a minute to resume. Azure allows ten failures.
    assert int(file.value_of(first["failureThreshold"])) <= 10
    assert int(file.value_of(first["failureThreshold"])) * int(file.value_of(first["periodSeconds"])) >= 120


def test_the_pages_write_only_uploads_and_documents() -> None:
    given = {
        (path.stem, role)
        for path in FILES
        for line in read(path).text.splitlines()
        for role in re.findall(r"guid\(.*pagesId, roles\.(\w+)\)", line)
    }
    assert given == {
        ("storage", "storageBlobDataReader"),
        ("storage", "storageBlobDataContributor"),
        ("storage", "storageBlobDelegator"),
        ("cosmos", "cosmosDataContributor"),
        ("vault", "keyVaultSecretsUser"),
    }
    file = read(MODULES / "storage.bicep")
    writes = next(each for each in file.resources if each.name == "pagesWrite")
    declared = next(
        node for node in walk(file.root) if node.type == "resource_declaration" and "pagesWrite" in file.text_of(node)
    )
    assert "if (container == uploadsContainer)" in file.text_of(declared)
    assert "scope: library[i]" in file.text_of(writes.body)
    assert file.value_of(file.assigned["uploadsContainer"]) == "uploads"
    shown = {file.value_of(node) for node in file.assigned["shownContainers"].named_children}
    assert shown == set(CONTAINERS) - {"uploads", "batch"}


def test_the_pages_read_only_the_secrets_that_they_need() -> None:
    vault = read(MODULES / "vault.bicep")
    reads = next(each for each in vault.resources if each.name == "pagesRead")
    assert "scope: forPages[i]" in vault.text_of(reads.body)
    (names,) = re.findall(r"namesForPages: (.*)", read(MAIN).text)
    assert re.findall(r"'([a-z]+-[a-z-]+)'", names) == [
        "signing-key",
        "dagster-ui-client-secret",
        Settings.model_fields["web_password_secret"].default,
    ]


def test_each_process_of_dagster_has_one_replica() -> None:
    file = read(MODULES / "dagster.bicep")
    for each in file.resources:
        if each.type.startswith("Microsoft.App/containerApps@"):
            template = file.properties(file.properties(file.properties(each.body)["properties"])["template"])
            assert file.text_of(template["scale"]) == "one", each.name
    assert re.sub(r"\s+", " ", file.text_of(file.assigned["one"])) == "{ minReplicas: 1 maxReplicas: 1 }"


def test_every_service_sends_its_logs_to_the_workspace() -> None:
    logged = {path.stem for path in FILES if "Microsoft.Insights/diagnosticSettings@" in read(path).text}
    assert logged == {"cosmos", "environment", "postgres", "sql", "storage", "vault"}
