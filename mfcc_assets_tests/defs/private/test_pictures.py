"""Pictures in the Dagster UI."""

import io
import sys
from pathlib import Path
from urllib.request import urlopen

import dagster as dg
from PIL import Image

from mfcc_assets.defs.launch import dagster_environment
from mfcc_assets.defs.private.pictures import SHOWN_PIXELS, shown_pictures
from mfcc_assets.settings import Settings
from mfcc_assets_tests.defs.test_launch import dagster_of
from mfcc_assets_tests.services.processes import accepts_connections, free_port, running_server

SHOWN_AT_ONCE = 1_000
"""The UI shows Markdown of fewer letters without a click."""


def png(width: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, 300)).save(file, "png")
    return file.getvalue()


def width_of(picture: bytes) -> int:
    with Image.open(io.BytesIO(picture)) as image:
        return image.width


def test_the_webserver_serves_the_pictures_whose_addresses_stand_in_the_metadata(
    settings: Settings, tmp_path: Path
) -> None:
    with dagster_of(settings) as instance:
        shown = shown_pictures(instance, "a-run", {"Map of the library": png(900)})

    (markdown,) = (value.value or "" for value in shown.values())
    assert list(shown) == ["map_of_the_library"]
    assert len(markdown) < SHOWN_AT_ONCE
    small, large = markdown.removeprefix("[![Map of the library](").removesuffix(")").split(")](")
    port = free_port()
    command = [sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "--empty-workspace"]
    address, environment = f"http://127.0.0.1:{port}", dagster_environment(settings)
    with running_server(command, tmp_path / "log", lambda: accepts_connections(port), environment=environment):
        with urlopen(address + small, timeout=30) as response:
            assert response.headers["Content-Type"] == "image/png"
            assert width_of(response.read()) == SHOWN_PIXELS
        with urlopen(address + large, timeout=30) as response:
            assert width_of(response.read()) == 900


def test_the_pictures_of_a_run_are_deleted_with_its_logs(settings: Settings) -> None:
    with dagster_of(settings) as instance:
        shown_pictures(instance, "a-run", {"Map": png(100)})
        assert list(settings.dagster_home.rglob("*.png"))
        instance.compute_log_manager.delete_logs(prefix=["a-run"])
        assert not list(settings.dagster_home.rglob("*.png"))


def test_where_logs_are_not_in_a_folder_the_metadata_holds_the_pictures(instance: dg.DagsterInstance) -> None:
    shown = shown_pictures(instance, "a-run", {"Map": png(100)})
    assert str(shown["map"].value).startswith("![Map](data:image/png;base64,")
