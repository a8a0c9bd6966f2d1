"""The samples of README.md and of the pages in docs/: commands with their output, and how to run them in order.

Samples stand in blocks of the language `console`. The samples of a page are run in one shell, from the first to the
last, in a library as `make demo` leaves it. So a reader can follow each page after `make demo`. In a sample, a line
``…`` stands for lines that are left out.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mfcc_assets.compute.java import java_home

REPOSITORY = Path(__file__).parents[1]
PAGES = (
    REPOSITORY / "README.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
    REPOSITORY / "docs" / "plug-ins" / "navidrome.md",
)

NOT_RUN: Mapping[str, str] = {
    r"git clone ": "The address is the reader's.",
    r"source \.venv/bin/activate$": "The environment that runs the samples is active already.",
    r"make dev$": "It ends with Ctrl-C. mfcc_assets_tests/defs/test_dev.py runs it.",
    r"mfcc web$": "It ends with Ctrl-C. mfcc_assets_tests/web/test_server.py runs it.",
    r"mfcc password$": "It asks for a password. mfcc_assets_tests/cli/test_password.py runs it.",
    r"mfcc watch$": "It ends with Ctrl-C. mfcc_assets_tests/cli/test_watch.py runs it.",
    r"mfcc evaluate --manifest labelled\.csv ": "It takes many minutes, and needs music that is not in the repository.",
    r"export MFCC_PROFILE=azure$|export \w+=.*(<|az ad|bicep)": "They name resources that the reader has in Azure.",
    r"cd (deploy/databricks|\.\./\.\.)$|databricks |docker build |az |azcopy ": "They need Databricks or Azure.",
    r"make demo PROFILE=azurite$": "It starts servers. mfcc_assets_tests/azure/test_profile.py runs with them.",
    r"mfcc database grant ": "It needs a server with users. mfcc_assets_tests/cli/test_database.py runs it on one.",
    r"(\.\./\.\./)?\.venv/bin/pip install ": "It installs packages.",
    r"make demo COMPUTE=spark|MFCC_COMPUTE=spark ": "They start Spark, as tests of mfcc_assets_tests/compute do.",
    r"dg list defs |dg launch ": "The page shows no output. mfcc_assets_tests/defs/test_dg.py runs them.",
    r"dagster asset materialize ": "No output either. mfcc_assets_tests/defs/private/test_one_library_run.py runs it.",
}
"""Why commands are not run when the samples are written or checked, by a regular expression of their beginnings."""

NOT_COMMANDS: Mapping[tuple[str, str], str] = {
    ("how-it-works.md", "soundtracks ─┐"): "A drawing.",
    (
        "own-music.md",
        "From 400 of 2,792 tracks so far.",
    ): "mfcc_assets_tests/cli/test_library_run.py checks such a line.",
    (
        "own-music.md",
        "Analysing audio: 620 of 2,792",
    ): "mfcc_assets_tests/pipeline/test_progress.py checks such a line.",
    ("own-music.md", "mfcc add --in-place ~/Music"): "It names folders of the reader.",
    ("quality.md", "469 tracks, 0 left out"): "The output of the first command of the page.",
}
"""Why other blocks are no samples, by the page and the beginning of the block. Written parts of pages are not meant,
and neither is what programs print."""

PROGRAMS = ("python.md", "table.md")
"""Pages with programs in Python. The blocks of Python below one heading are one program. A block of the language `text`
behind a block of Python shows what that block prints."""

EXAMPLE_UPLOAD = "8ea2610ba03e0e7d1b8ace257ae66031"
"""An upload id in samples. The id of the demo's upload differs from library to library."""

_INDEX_VERSION = re.compile(r"\b[0-9a-f]{12}\b")
"""A version of an index. Versions differ from processor to processor, because their numbers do in the last digits."""

_ABBREVIATED_VERSION = re.compile(r"(?<= )[0-9a-f]{4,12}(?= |$)")

_LIST_OF_VERSIONS = """
version() { mfcc index list --json | python -c "import json, sys; print(json.load(sys.stdin)[$1]['version'])"; }
"""
"""A function of the shell that prints a version by its place in the list, where the newest one stands first."""

_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
_SAMPLE = re.compile(r"^\$ (?P<command>(?:.*\\\n)*.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)
_ANSWER = re.compile(r"(?<=\[y/N\]: )(\w+)$")
_PROGRAM_HEADING = re.compile(r"^##? (?P<name>\w+)$", re.MULTILINE)
_CODE = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.DOTALL | re.MULTILINE)
_INSTALLATION = re.compile(r"Installing into |  \d+ packages found")
"""Lines of `make demo` that only the first one prints."""

_LOG = re.compile(r".* - dagster\.code_server - ")
"""Lines of the log of Dagster's servers, which the pages leave out."""

_CHANGING = re.compile(
    r"""\d{4}-\d\d-\d\d\ \d\d:\d\d            # times
    | (?<=Done\ in\ )\d+(?=\ s)
    | [\d.]+\ [kMGT]B(?=\ are\ free)            # space on the disk
    | \b[0-9a-f]{12}\b                          # versions of indexes
    | (?<=[│|]\ )[0-9a-f]{16}(?=\ │\ (?:player|boss)\ )|(?<=^Key\ )[0-9a-f]{16}  # ids of keys
    | (?<=Launched\ backfill\ job\ `)\w+         # ids of backfills
    | (?<=\d\.\d{6})\d+                         # the last digits of numbers, which differ between processors
    """,
    re.VERBOSE,
)
"""Parts of lines that differ from run to run."""

_MARK = "\x1e"


@dataclass(frozen=True)
class Sample:
    """A command, and the lines that the page shows as its output."""

    command: str
    output: Sequence[str]

    @property
    def is_run(self) -> bool:
        return not any(re.match(beginning, self.command) for beginning in NOT_RUN)


def samples_of(text: str) -> list[Sample]:
    """Return the samples of a page, in their order."""
    blocks = (block.group() for block in _BLOCK.finditer(text))
    return [
        Sample(each["command"], each["output"].splitlines()) for block in blocks for each in _SAMPLE.finditer(block)
    ]


def make_checkout(folder: Path) -> Path:
    """Make a folder that looks like a clone of the repository after its installation, without a library.

    Parameters
    ----------
    folder
        Folder to make it in. The home of the reader is made there, too.

    Returns
    -------
    Path
        The folder `mfcc_assets` below `folder`.
    """
    checkout = folder / "mfcc_assets"
    environment = checkout / ".venv"
    environment.mkdir(parents=True)
    for name in ("Makefile", "constraints.txt", "mfcc_assets", "pyproject.toml", "workspace.yaml"):
        (checkout / name).symlink_to(REPOSITORY / name)
    for installed in Path(sys.prefix).iterdir():
        if not installed.name.startswith(".installed"):
            (environment / installed.name).symlink_to(installed)
    (environment / ".installed").touch()
    uploads = REPOSITORY / "mfcc_assets" / "demo" / "uploads"
    (folder / "home" / "Music").mkdir(parents=True)
    shutil.copy(uploads / "coherence.mp3", folder / "home" / "Music")
    shutil.copy(uploads / "caribbean.mp3", checkout / "some-track.mp3")
    return checkout


def make_demo(checkout: Path) -> str:
    """Run `make demo`, and return what it printed, with ``…`` for the place of the folder."""
    ran = subprocess.run(["make", "demo"], cwd=checkout, env=_environment(checkout), capture_output=True, text=True)  # noqa: PLW1510
    if ran.returncode:
        raise RuntimeError(f"make demo failed:\n{ran.stdout}{ran.stderr}")
    return ran.stdout.replace(str(checkout), "…")


def written_pictures(checkout: Path) -> dict[str, Path]:
    """Return the pictures that `make demo` and the samples have written, by their names in docs/."""
    drawn = {
        "library-map.png": (checkout / "mfcc_data" / "dagster" / "storage").glob("*/pictures/map-of-the-library.png"),
        "pair.png": checkout.glob("pair.png"),
    }
    return {name: path for name, paths in drawn.items() for path in paths}


def page_as_run(text: str, checkout: Path, first_demo: str) -> str:
    """Run the samples of a page, and return the page with their present outputs.

    An output that differs only in what changes from run to run, such as times, stays as it is.

    Parameters
    ----------
    text
        The page.
    checkout
        Folder from `make_checkout`, with a library as `make demo` leaves it. The commands change the library.
    first_demo
        What the first `make demo` printed: its sample needs a folder without a library.

    Raises
    ------
    RuntimeError
        If a command fails. Its name and its error output are told.
    """
    samples = samples_of(text)
    printed = _run(samples, checkout, first_demo) if any(sample.is_run for sample in samples) else {}
    number = iter(range(len(samples)))

    def with_output(sample: re.Match[str]) -> str:
        each = next(number)
        if each not in printed or not samples[each].output:
            return sample.group()
        lines = _shown(printed[each], samples[each].output)
        return f"$ {sample['command']}\n" + "".join(f"{line}\n" for line in lines)

    return _BLOCK.sub(lambda block: _SAMPLE.sub(with_output, block.group()), text)


def programs_of(text: str) -> dict[str, str]:
    """Return the parts of a page that have a program with its output, by their headings."""
    headings = list(_PROGRAM_HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    parts = {heading["name"]: text[heading.end() : end] for heading, end in zip(headings, ends, strict=True)}
    return {name: part for name, part in parts.items() if outputs_of_programs(part)}


def outputs_of_programs(text: str) -> list[str]:
    """Return the blocks that show what programs print."""
    return [block["output"] for block in _CODE.finditer(text) if block["output"] is not None]


def program_as_run(part: str, checkout: Path) -> str:
    """Run the program of a part of a page, and return the part with its present output.

    Raises
    ------
    RuntimeError
        If the program fails. Its error output is told.
    """
    code = "".join(f"{block['code']}\nprint({_MARK!r})\n" for block in _CODE.finditer(part))
    environment = _environment(checkout)
    if "pyspark" in code:
        # Spark finds only a Java that is installed, and the wheel of one needs a wrapper.
        environment["JAVA_HOME"] = str(java_home(environment, checkout.parent / "java"))
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(f"a program failed:\n{ran.stdout}{ran.stderr}")
    printed = iter(ran.stdout.split(f"{_MARK}\n"))

    def with_output(block: re.Match[str]) -> str:
        output = next(printed).strip("\n")
        shown = block["output"]
        return block.group() if shown is None else block.group().replace(f"text\n{shown}", f"text\n{output}\n")

    return _CODE.sub(with_output, part)


def _run(samples: Sequence[Sample], checkout: Path, first_demo: str) -> dict[int, list[str]]:
    """Run samples in one shell, and return the lines that each of them printed, by its number.

    `make demo` has been run before, where there was no library.
    """
    printed = {number: first_demo for number, sample in enumerate(samples) if sample.command == "make demo"}
    numbers = [number for number, sample in enumerate(samples) if sample.is_run and number not in printed]
    versions = _listed_versions(samples)
    commands = [_for_shell(samples[number], versions) for number in numbers]
    script = _LIST_OF_VERSIONS + "".join(f"echo '{_MARK}'\n{command}\n" for command in commands)
    begins_above = any(sample.command.startswith("cd ") for sample in samples)
    ran = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=checkout.parent if begins_above else checkout,
        env=_environment(checkout) | {"UPLOAD": _upload(checkout)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    texts = ran.stdout.split(f"{_MARK}\n")[1:]
    if ran.returncode:
        failed = samples[numbers[len(texts) - 1]].command
        raise RuntimeError(f"{failed} failed:\n{texts[-1]}{ran.stderr}")
    printed |= dict(zip(numbers, texts, strict=True))
    return {number: _lines(text, checkout) for number, text in printed.items()}


def _listed_versions(samples: Sequence[Sample]) -> list[str]:
    """Return the versions of indexes that the page lists, in the order of its list."""
    lists = [sample.output for sample in samples if sample.command == "mfcc index list"]
    return [found.group() for line in (lists[0] if lists else ()) if (found := _INDEX_VERSION.search(line))]


def _for_shell(sample: Sample, versions: Sequence[str]) -> str:
    """Return the command with the ids of the library in which it is run."""
    command = sample.command.replace(EXAMPLE_UPLOAD, '"$UPLOAD"')
    if command.startswith("mfcc index "):
        command = _ABBREVIATED_VERSION.sub(lambda version: _named_by_place(version.group(), versions), command)
    answers = [answer[1] for line in sample.output if (answer := _ANSWER.search(line))]
    if answers:
        return f"echo {' '.join(answers)} | {command}"
    return command


def _named_by_place(abbreviated: str, versions: Sequence[str]) -> str:
    places = [place for place, version in enumerate(versions) if version.startswith(abbreviated)]
    return f"$(version {places[0]})" if places else abbreviated


def _lines(printed: str, checkout: Path) -> list[str]:
    lines = printed.replace(str(checkout), "…").splitlines()
    told = "\n".join(line.rstrip() for line in lines if not _LOG.match(line))
    return told.strip("\n").splitlines()


def _shown(printed: Sequence[str], former: Sequence[str]) -> Sequence[str]:
    """Return the lines of an output that a page shows, in the manner of the lines that it showed before."""
    lines = [*(line for line in former if _INSTALLATION.match(line)), *printed]
    answers = [answer for line in former if (answer := _ANSWER.search(line))]
    for answer in answers:
        # A terminal shows what the reader types, and a pipe does not.
        at = next(number for number, line in enumerate(lines) if "[y/N]: " in line)
        question, result = lines[at].split("[y/N]: ")
        lines[at : at + 1] = [f"{question}[y/N]: {answer[1]}", result]
    if "…" in former:
        first = former.index("…")
        rest = len(former) - first - 1
        lines = [*lines[:first], "…", *lines[len(lines) - rest :]]
    return former if _without_changing_parts(lines) == _without_changing_parts(former) else lines


def _without_changing_parts(lines: Sequence[str]) -> list[str]:
    """Return lines without the times and the widths that differ from run to run."""
    return [_CHANGING.sub("", line).strip() for line in lines]


def _environment(checkout: Path) -> dict[str, str]:
    """Return the environment of a reader who has set nothing."""
    of_writer = ("MFCC_", "DAGSTER_", "MAKE", "XDG_CONFIG_HOME")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(of_writer)}
    return kept | {
        "PATH": f"{checkout / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(checkout / ".venv"),
        "HOME": str(checkout.parent / "home"),
        # Plots need the list of fonts, which takes seconds to make.
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
    }


def _upload(checkout: Path) -> str:
    """Return the id of the upload of `make demo`."""
    from mfcc_assets.library import Library
    from mfcc_assets.pipeline.upload_register import register_of
    from mfcc_assets.settings import Settings

    with Library(Settings(home=checkout / "mfcc_data")) as library:
        (upload,) = library.blobs.list("uploads")
        return register_of(library).upload_of(upload)
