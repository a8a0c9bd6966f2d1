"""`make demo`: the starter library and an upload, through real runs of Dagster."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from docs.write_samples import FOLDER, written_pages
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.runs import copied_home
from mfcc_assets_tests.services.processes import REPOSITORY


@dataclass(frozen=True)
class Demo:
    """The home of the demo, and the output of its first and of its second run."""

    home: Path
    first: str
    second: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    home = tmp_path_factory.mktemp("demo") / "home"

    def run() -> str:
        environment = os.environ | {"MFCC_HOME": str(home)}
        done = subprocess.run(
            [sys.executable, "-m", "mfcc_assets.demo"], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return Demo(home, run(), run())


def test_an_upload_without_tags_is_recognised_and_answered(demo: Demo) -> None:
    assert "Recognised  A New Journey by Maxstack" in demo.first
    assert re.search(r"^│ 5 ", demo.first, re.MULTILINE), "five tracks are recommended"


def test_the_answer_is_in_the_tables(demo: Demo) -> None:
    with Library(Settings(home=demo.home)) as library:
        analysed, total = library.catalogue.progress()

        assert analysed == total > 5
        assert all(
            len(library.recommendations.recommended(track.track_id)) == 5 for track in library.catalogue.soundtracks()
        )


def test_the_second_run_recomputes_nothing_and_gives_the_same_answer(demo: Demo) -> None:
    def answer(output: str) -> str:
        return output[output.index("Recognised") :].rpartition("Done in")[0]

    assert demo.second.count("nothing was recomputed") == 2
    assert answer(demo.second) == answer(demo.first)


def test_the_readme_shows_this_answer(demo: Demo) -> None:
    readme = (REPOSITORY / "README.md").read_text()

    assert demo.first[demo.first.index("Library") : demo.first.index("Database")] in readme


def test_the_documentation_shows_what_commands_print(demo: Demo, tmp_path: Path) -> None:
    home = copied_home(demo.home, tmp_path / "mfcc_data")

    outdated = [name for name, text in written_pages(home) if text != (FOLDER / name).read_text()]

    assert outdated == [], "run `python -m docs.write_samples`"
