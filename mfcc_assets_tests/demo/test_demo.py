"""`make demo`: the starter library and an upload, through real runs of Dagster. Then the pages and the notebook."""

import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from docs.samples import (
    PAGES,
    PROGRAMS,
    REPOSITORY,
    make_checkout,
    make_demo,
    page_as_run,
    program_as_run,
    programs_of,
    samples_of,
    written_pictures,
)
from docs.write_notebook import NOTEBOOK, printed, run_notebook
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets_tests.runs import copied_home

DOCS = REPOSITORY / "docs"

MOST_UNLIKE_PIXELS = 0.005
"""Share of the pixels of a picture that may differ. Other processors round otherwise, and move points a little."""


MOST_NOTEBOOK_BYTES = 300_000


@dataclass(frozen=True)
class Demo:
    """A folder like a clone of the repository, and the output of the first and of the second `make demo` in it."""

    checkout: Path
    home: Path
    first: str
    second: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    checkout = make_checkout(tmp_path_factory.mktemp("demo"))
    return Demo(checkout, checkout / "mfcc_data", make_demo(checkout), make_demo(checkout))


@pytest.fixture
def checkout(demo: Demo, tmp_path: Path) -> Path:
    """Make a folder like a clone of the repository, as `make demo` leaves it."""
    checkout = make_checkout(tmp_path)
    copied_home(demo.home, checkout / "mfcc_data")
    return checkout


def pages_with_samples() -> list[Path]:
    return [page for page in PAGES if any(sample.is_run for sample in samples_of(page.read_text()))]


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


def assert_is_shown(name: str, drawn: Path) -> None:
    """Assert that a picture of the pages is the one that was drawn now."""
    with Image.open(REPOSITORY / "docs" / name) as shown, Image.open(drawn) as now:
        pixels, present = (np.asarray(picture.convert("L"), int) for picture in (shown, now))
    assert pixels.shape == present.shape
    assert np.mean(np.abs(pixels - present) > 64) < MOST_UNLIKE_PIXELS, f"{name}: run python -m docs.write_samples."


def test_the_readme_shows_the_map_of_this_library(demo: Demo) -> None:
    assert_is_shown("library-map.png", written_pictures(demo.checkout)["library-map.png"])


@pytest.mark.parametrize("page", pages_with_samples(), ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_the_commands_of_a_page_print_and_draw_in_their_order_what_it_shows(
    page: Path, demo: Demo, checkout: Path
) -> None:
    assert page_as_run(page.read_text(), checkout, demo.first) == page.read_text(), "Run python -m docs.write_samples."

    if "--picture pair.png" in page.read_text():
        assert_is_shown("pair.png", written_pictures(checkout)["pair.png"])


def test_the_notebook_runs_and_prints_what_it_shows(demo: Demo) -> None:
    now = run_notebook(demo.home)

    assert printed(nbformat.read(NOTEBOOK, as_version=4)) == printed(now), "Run python -m docs.write_notebook."
    assert NOTEBOOK.stat().st_size < MOST_NOTEBOOK_BYTES


@pytest.mark.parametrize(
    ("page", "program"), [(page, name) for page in PROGRAMS for name in programs_of((DOCS / page).read_text())]
)
def test_a_program_of_a_page_prints_what_it_shows(page: str, program: str, demo: Demo, checkout: Path) -> None:
    text = (DOCS / page).read_text()
    page_as_run(text, checkout, demo.first)  # programs read what commands have written

    part = programs_of(text)[program]
    assert program_as_run(part, checkout) == part, "Run python -m docs.write_samples."


def test_the_programs_of_the_pages_are_found() -> None:
    assert [[*programs_of((DOCS / page).read_text())] for page in PROGRAMS] == [
        ["Python"],
        ["DuckDB", "pandas", "Spark"],
    ]
