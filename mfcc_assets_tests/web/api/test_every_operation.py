"""Every operation with many requests, as the description allows them and as it does not."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from werkzeug.serving import make_server

from mfcc_assets.library import Library
from mfcc_assets.pipeline.api_keys import make_key
from mfcc_assets.settings import Settings
from mfcc_assets.web.app import create_app
from mfcc_assets_tests.runs import copied_home
from mfcc_assets_tests.services.processes import REPOSITORY
from mfcc_assets_tests.upload_steps import answer_uploads
from mfcc_assets_tests.web.api.conftest import with_key
from mfcc_assets_tests.web.api.described_requests import with_real_names

CONFIGURATION = """
# The description cannot say which bytes are audio.
[[operations]]
include-path = "/api/v1/uploads"
checks.positive_data_acceptance.enabled = false
"""

EXAMPLES, SEED = 4, 1


@pytest.fixture(scope="module")
def served(up_to_date_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    home = copied_home(up_to_date_home, tmp_path_factory.mktemp("programs") / "home")
    many = 10**6
    settings = Settings(home=home, web_requests_per_minute=many, web_uploads_per_hour=many, web_free_gigabytes=0)
    with Library(settings) as library:
        yield library


def test_none_of_many_requests_fails_and_none_is_accepted_that_the_description_does_not_allow(
    served: Library, song: bytes, tmp_path: Path
) -> None:
    app = create_app(served)
    client = app.test_client()
    sender = with_key(served, "sender")
    upload = client.put("/api/v1/uploads?name=sent.flac", data=song, headers=sender).get_json()["upload_id"]
    answer_uploads(served, [upload])
    tracks = [track.track_id for track in served.catalogue.soundtracks()][:2]
    # The first explanation compiles code.
    assert client.get(f"/api/v1/tracks/{tracks[0]}/why/{tracks[1]}").status_code == 200
    described = client.get("/api/v1/openapi.json").get_json()
    description = tmp_path / "openapi.json"
    description.write_text(
        json.dumps(with_real_names(described, tracks, str(served.indexes.published_version()), upload))
    )
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    serving = Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", configuration, "run", description),
                *("--url", f"http://127.0.0.1:{server.port}", "--request-timeout", "60"),
                *("--header", f"Authorization: Bearer {make_key(served, 'boss', is_operator=True)}"),
                *("--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", str(SEED)),
                *("--continue-on-failure", "--warnings", "off", "--no-color"),
            ],
            cwd=tmp_path,
            env={"PYTHONPATH": str(REPOSITORY), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
        )
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr
    assert "Tested: 26" in ran.stdout
