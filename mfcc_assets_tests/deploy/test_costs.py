"""COSTS.md agrees with the script that computes it, and the script agrees with the Bicep files."""

import importlib.util
import re
import subprocess
import sys
from types import ModuleType

import pytest

from mfcc_assets_tests.deploy.bicep_files import DEPLOY, FILES, FOLDER, read

SHEET = (DEPLOY / "COSTS.md").read_text()
MODULES = FOLDER / "modules"


def test_the_page_has_the_tables_that_the_script_prints() -> None:
    printed = subprocess.run([sys.executable, DEPLOY / "costs.py"], capture_output=True, text=True, check=True).stdout
    for table in printed.strip().split("\n\n"):
        assert table in SHEET


@pytest.fixture(scope="module")
def costs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("costs", DEPLOY / "costs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["costs"] = module
    spec.loader.exec_module(module)
    return module


def test_the_database_pauses_as_the_bicep_says(costs: ModuleType) -> None:
    (delay,) = re.findall(r"autoPauseDelay: (\d+)", (MODULES / "sql.bicep").read_text())
    given = dict(read(MODULES / "dagster.bicep").named_values())
    assert int(given["MFCC_SWEEP_SECONDS"]) == 3600 / costs.SWEEPS_AN_HOUR
    assert int(given["MFCC_LIBRARY_SWEEP_SECONDS"]) == 3600 / costs.LIBRARY_SWEEPS_AN_HOUR
    assert int(delay) <= 60 * costs.AWAKE_HOURS < 60
    assert costs.sql_awake(costs.LIBRARIES[-1]) == costs.HOURS


def test_the_script_counts_all_private_endpoints_and_zones(costs: ModuleType) -> None:
    endpoints = [path for path in FILES if "'endpoint.bicep'" in read(path).text and path.stem != "databricks"]
    network = next(read(path) for path in FILES if path.stem == "network")
    in_the_environment = 1
    assert len(endpoints) == costs.ENDPOINTS
    assert len(network.assigned["zoneNames"].named_children) + in_the_environment == costs.ZONES
