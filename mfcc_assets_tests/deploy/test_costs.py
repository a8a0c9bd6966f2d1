"""The cost sheet holds what its script computes."""

import importlib.util
import subprocess
import sys

from mfcc_assets_tests.deploy.bicep_files import DEPLOY, FILES, read

SHEET = (DEPLOY / "COSTS.md").read_text()


def test_the_tables_are_those_that_the_script_prints() -> None:
    printed = subprocess.run([sys.executable, DEPLOY / "costs.py"], capture_output=True, text=True, check=True).stdout
    for table in printed.strip().split("\n\n"):
        assert table in SHEET


def test_as_many_private_endpoints_and_zones_are_counted_as_are_deployed() -> None:
    spec = importlib.util.spec_from_file_location("costs", DEPLOY / "costs.py")
    assert spec is not None
    assert spec.loader is not None
    costs = importlib.util.module_from_spec(spec)
    sys.modules["costs"] = costs
    spec.loader.exec_module(costs)
    endpoints = [path for path in FILES if "'endpoint.bicep'" in read(path).text and path.stem != "databricks"]
    network = next(read(path) for path in FILES if path.stem == "network")
    in_the_environment = 1
    assert len(endpoints) == costs.ENDPOINTS
    assert len(network.assigned["zoneNames"].named_children) + in_the_environment == costs.ZONES
