"""The settings choose the engine."""

import subprocess
import sys

import pytest

from mfcc_assets.compute.chosen import compute_of
from mfcc_assets.compute.context import Context
from mfcc_assets.compute.threads import ThreadsEngine
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings


def test_by_default_this_machine_does_the_work(library: Library) -> None:
    assert isinstance(compute_of(Context(library))._engine, ThreadsEngine)  # noqa: SLF001  nothing else tells


@pytest.mark.parametrize("missing", ["pyspark", "pandas"])
def test_spark_without_its_extra_is_an_error_that_names_it(missing: str, tmp_path) -> None:
    code = f"""
import sys
class NotInstalled:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == {missing!r}:
            raise ModuleNotFoundError("it is not installed", name=name)
sys.meta_path.insert(0, NotInstalled)
from mfcc_assets.compute.chosen import compute_of
from mfcc_assets.compute.context import Context
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
compute_of(Context(Library(Settings(home={str(tmp_path)!r}, compute="spark"))))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert ran.returncode == 1
    assert f"Work on Spark: the module {missing} is not installed. Run: pip install 'mfcc-assets[spark]'." in ran.stderr


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="compute"):
        Settings(compute="abacus")
