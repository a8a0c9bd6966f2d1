"""The README and the pages in docs/ agree with the settings, commands, packages and pictures."""

import importlib.util
import os
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from docs.samples import NOT_COMMANDS, NOT_RUN, PROGRAMS, outputs_of_programs, samples_of
from docs.samples import PAGES as PAGES_WITH_SAMPLES
from docs.write_tables import PAGES, WRITERS, with_written_parts
from mfcc_assets.cli.main import main
from mfcc_assets.defs.dev import STARTS
from mfcc_assets_tests.services.processes import REPOSITORY

README = REPOSITORY / "README.md"
DOCS = REPOSITORY / "docs"
TEXTS = {path: path.read_text() for path in [README, *sorted(DOCS.rglob("*.md"))]}
ALL_TEXT = "\n".join(TEXTS.values())
MOST_LINES_OF_README = 150


def linked_files(page: Path) -> set[Path]:
    """Return the files of the repository that a page links to."""
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", TEXTS[page])
    return {(page.parent / link).resolve() for link in links}


def blocks_of(page: Path, *languages: str) -> list[str]:
    """Return the blocks of a page in these languages, but not those in written parts."""
    text = re.sub(r"<!-- written: .*?<!-- end -->", "", TEXTS[page], flags=re.DOTALL)
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [block for language, block in found if language in languages]


def pages_in(nav: Any) -> list[str]:
    """Return the pages that the navigation of the site names."""
    if isinstance(nav, str):
        return [nav]
    return [page for entry in (nav.values() if isinstance(nav, dict) else nav) for page in pages_in(entry)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_written_parts_of_a_page_are_up_to_date(page: Path) -> None:
    assert with_written_parts(page.read_text()) == page.read_text(), "Run python -m docs.write_tables."


def test_every_written_part_is_on_one_page() -> None:
    assert sorted(re.findall(r"^<!-- written: (\w+) -->$", ALL_TEXT, re.MULTILINE)) == sorted(WRITERS)


def test_the_makefile_has_every_target_that_the_pages_name() -> None:
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z]+)`|^\$ make ([a-z]+)", ALL_TEXT, re.MULTILINE))
    assert {quoted or typed for quoted, typed in named} <= targets


def test_an_example_shows_every_mfcc_command() -> None:
    assert set(re.findall(r"^\$ mfcc ([a-z][a-z-]*)", ALL_TEXT, re.MULTILINE)) == set(main.commands)


def test_the_commands_in_examples_have_succeeded() -> None:
    examples = "".join(re.findall(r"```console.*?```", ALL_TEXT, re.DOTALL))
    assert not re.search(r"no answer|rejected|\bError\b|Traceback|failed", examples)


@pytest.mark.parametrize("page", PAGES_WITH_SAMPLES, ids=lambda page: page.name)
def test_every_block_of_a_page_is_a_sample_or_has_a_reason_why_not(page: Path) -> None:
    samples = samples_of(TEXTS[page])
    lines = [line for sample in samples for line in (*f"$ {sample.command}".splitlines(), *sample.output)]
    assert lines == "".join(blocks_of(page, "console")).splitlines(), "samples begin at the margin with $"

    reasons = [beginning for name, beginning in NOT_COMMANDS if name == page.name]
    printed = outputs_of_programs(TEXTS[page])
    assert not printed or page.name in PROGRAMS
    others = [block.strip() for block in blocks_of(page, "", "text", "sh", "bash") if block not in printed]
    assert [block for block in others if not block.startswith(tuple(reasons))] == []
    assert len(others) == len(reasons)


def test_every_reason_not_to_run_a_command_is_needed() -> None:
    commands = [sample.command for page in PAGES_WITH_SAMPLES for sample in samples_of(TEXTS[page])]
    assert [beginning for beginning in NOT_RUN if not any(re.match(beginning, each) for each in commands)] == []


def test_the_files_that_the_reasons_name_exist() -> None:
    named = re.findall(r"\bmfcc_assets_tests/\S+\.py", " ".join([*NOT_RUN.values(), *NOT_COMMANDS.values()]))
    assert named
    assert [name for name in named if not (REPOSITORY / name).is_file()] == []


def test_the_pages_show_what_make_prints() -> None:
    makefile = (REPOSITORY / "Makefile").read_text().replace("$(VENV)", ".venv")
    printed = re.findall(r'@echo "(Installing into.*)"', makefile) + STARTS.format(port=3000).splitlines()
    shown = {line for page in PAGES_WITH_SAMPLES for block in blocks_of(page, "console") for line in block.splitlines()}
    assert len(printed) == 3
    assert [line for line in printed if line not in shown] == []


def packages_with(*extras: str) -> set[str]:
    """Return the names of the packages that an installation with these extras has beside mfcc_assets itself."""
    found: set[tuple[str, str]] = set()
    waiting = [("mfcc-assets", extra) for extra in ("", *extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for line in requires(name) or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(canonicalize_name(needed.name), each) for each in ("", *needed.extras)]
    return {name for name, _ in found} - {"mfcc-assets"}


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="The pages give the numbers of Python 3.11.")
def test_the_pages_give_the_numbers_of_packages() -> None:
    base = packages_with()
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (\d+)[^|]* \| \d+ MB \|$", TEXTS[DOCS / "settings.md"], re.MULTILINE)

    assert f"{len(base)} packages found, installing them" in TEXTS[README]
    assert f"It has {len(base)} packages" in TEXTS[DOCS / "settings.md"]
    assert len(rows) == 8
    assert {extra: int(number) for extra, number in rows} == {
        extra: len(packages_with(extra) - base) for extra, _ in rows
    }


def test_the_picture_of_the_asset_graph_shows_every_asset() -> None:
    from mfcc_assets.definitions import defs

    # docs/take_screenshots.py writes the names of the assets into the file.
    with Image.open(DOCS / "asset-graph.png") as picture:
        shown = picture.info["assets"].split()
    assert shown == sorted(key.path[-1] for key in defs.resolve_all_asset_keys())


def test_the_readme_is_short() -> None:
    assert len(TEXTS[README].splitlines()) <= MOST_LINES_OF_README


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert [linked for linked in linked_files(page) if not linked.is_file()] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = {README}, [README]
    while waiting:
        new = {page for page in linked_files(waiting.pop()) if page in TEXTS} - reached
        reached |= new
        waiting += new
    assert set(PAGES) <= reached


def test_every_picture_is_on_a_page() -> None:
    shown = {linked for page in TEXTS for linked in linked_files(page)}
    assert {path for path in DOCS.iterdir() if path.suffix in {".png", ".svg"}} <= shown


def test_the_tests_that_the_pages_name_exist() -> None:
    named = set(re.findall(r"`(test_\w+|Test\w+)`", TEXTS[DOCS / "real-files.md"]))
    tests = "\n".join(path.read_text() for path in (REPOSITORY / "mfcc_assets_tests").rglob("test_*.py"))
    assert named <= set(re.findall(r"^\s*(?:def|class) (\w+)", tests, re.MULTILINE))
    assert len(named) > 50


def test_the_navigation_names_every_page() -> None:
    named = pages_in(yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text())["nav"])
    assert {page.relative_to(DOCS).as_posix() for page in TEXTS if page != README} <= set(named)
    assert len(named) == len(set(named))


def test_the_architecture_page_and_its_picture_name_every_package_and_top_level_module() -> None:
    root = REPOSITORY / "mfcc_assets"
    packages = {path.parent.name for path in root.glob("*/__init__.py")}
    modules = {path.stem for path in root.glob("*.py") if path.stem != "__init__"}
    described = set(re.findall(r"^\| `(\w+)` \|", (DOCS / "architecture.md").read_text(), re.MULTILINE))
    assert described - {"mfcc_assets"} == packages | modules
    drawn = set(re.findall(r"\w+", (DOCS / "architecture.svg").read_text()))
    assert packages | modules <= drawn


def test_every_package_of_the_science_has_a_reference_page() -> None:
    referenced = set(re.findall(r"^::: mfcc_assets\.(\w+)", ALL_TEXT, re.MULTILINE))
    science = {"audio", "features", "similarity", "search", "recognition", "playlists", "evaluation", "plots"}
    assert science | {"storage", "pipeline", "library", "errors"} <= referenced


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="the extra docs is not installed")
def test_the_site_can_be_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    assert (tmp_path / "index.html").is_file()
