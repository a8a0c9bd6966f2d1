"""No secret is written to files, blobs, rows, documents, logs, metadata of runs or error messages."""

import base64
import json
import logging
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import dagster as dg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from mfcc_assets.cli.main import main
from mfcc_assets.defs.launch import prepare_dagster_home
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import CONTAINERS
from mfcc_assets.storage.secrets.cached import CachedSecrets
from mfcc_assets.storage.secrets.environment import variable_of
from mfcc_assets.storage.secrets.key_vault import KeyVaultSecrets
from mfcc_assets_tests.runs import drop_upload, run_library, run_uploads
from mfcc_assets_tests.services.key_vault import VaultDouble
from mfcc_assets_tests.services.recognition import AcrCloudDouble, AudDDouble, sends, serving
from mfcc_assets_tests.services.twin import TwinLibrary


@pytest.fixture
def markers(twin_library: TwinLibrary) -> dict[str, str]:
    """Return all secrets: those of the servers, and random ones for the services."""
    service_secrets = ("audd-token", "acrcloud-key", "acrcloud-secret", "acoustid-key")
    return twin_library.secrets | {name: f"marker-{secrets.token_hex(16)}" for name in service_secrets}


@pytest.fixture
def library(markers: dict[str, str], vault: VaultDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """Make a library whose secrets are all in a vault, and whose services repeat all secrets in their answers."""
    for name, secret in markers.items():
        vault.set(name, secret)
        monkeypatch.delenv(variable_of(name), raising=False)
    with ExitStack() as running:
        answer = {"status": "error", "error": {"error_code": 900, "error_message": " ".join(markers.values())}}
        repeats_secrets = sends(json.dumps(answer).encode())
        for double, variable in ((AudDDouble(), "MFCC_AUDD_URL"), (AcrCloudDouble(), "MFCC_ACRCLOUD_URL")):
            double.faults.extend([repeats_secrets] * 20)
            monkeypatch.setenv(variable, running.enter_context(serving(double)).url)
        monkeypatch.setenv("MFCC_ACOUSTID_URL", "http://127.0.0.1:9/")
        monkeypatch.setenv("MFCC_RECOGNISERS", "audd,acrcloud,acoustid,library,tags")
        monkeypatch.setenv("MFCC_KEY_VAULT_URL", vault.url)
        library = running.enter_context(Library(Settings()))
        library.secrets = CachedSecrets(KeyVaultSecrets(vault.client()), lifetime_seconds=300)
        yield library


def test_a_run_writes_no_secret(
    library: Library,
    markers: dict[str, str],
    ten_songs: list[Path],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    for song in ten_songs:
        library.blobs.upload_file("soundtracks", song.name, song)
    with dg.DagsterInstance.from_config(str(prepare_dagster_home(library.settings))) as instance:
        run_library(library, instance)
        upload = drop_upload(library, ten_songs[3], "query.flac")
        run_uploads(library, instance, [upload])

    written = {
        **files_of(library.settings.folder),
        **blobs_of(library),
        "documents": json.dumps([document.body for document in library.documents.find()]).encode(),
        "rows": rows_of(library),
        "logs": caplog.text.encode(),
        "output": "".join(capfd.readouterr()).encode(),
    }
    body = library.documents.get(upload).body
    assert body["state"] == "ranked"
    assert [failure["by"] for failure in body["recognition_failures"]] == ["audd", "acrcloud", "acoustid"]
    assert any(name.endswith("index.db") for name in written), "the events of Dagster must be searched, too"
    assert b"query.flac" in written["documents"]
    assert b"song-3.flac" in written["rows"]
    assert leaks(written, markers) == []


@pytest.mark.parametrize("wrong", ["blob-key", "cosmos-key", "database-password"])
def test_the_error_of_a_refused_command_contains_no_secret(twin_library: TwinLibrary, wrong: str) -> None:
    marker = base64.b64encode(secrets.token_bytes(32)).decode()
    variables = twin_library.variables | {variable_of(wrong): marker}

    command = ["purge", "0" * 32] if wrong == "cosmos-key" else ["library"]
    result = CliRunner().invoke(main, command, env=variables)

    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    assert leaks({"output": result.output.encode()}, {**twin_library.secrets, wrong: marker}) == []


def leaks(written: dict[str, bytes], markers: dict[str, str]) -> list[tuple[str, str]]:
    """Return the places that contain a secret, either as it is or encoded as in an address or a header."""
    forms = {
        name: {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}
        for name, secret in markers.items()
    }
    return [
        (place, name)
        for place, content in written.items()
        for name, written_as in forms.items()
        if any(form.encode() in content for form in written_as)
    ]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def blobs_of(library: Library) -> dict[str, bytes]:
    return {
        f"{container}/{blob.name}": library.blobs.read(container, blob.name)
        for container in CONTAINERS
        for blob in library.blobs.list(container)
    }


def rows_of(library: Library) -> bytes:
    tables = sa.MetaData()
    with library.database.reading() as connection:
        tables.reflect(connection)
        rows = [str(row) for table in tables.sorted_tables for row in connection.execute(sa.select(table))]
    return "\n".join(rows).encode()


def test_a_written_secret_would_be_found() -> None:
    marker = {"key": "a/secret="}
    written = {"plain": b"a/secret=", "address": b"?key=a%2Fsecret%3D", "header": base64.b64encode(b"a/secret=")}

    assert leaks(written, marker) == [("plain", "key"), ("address", "key"), ("header", "key")]
