"""Write the output of commands into the documentation: `python -m docs.write_samples`.

The samples are blocks of the language `console`. Each command is run on the library of `make demo`, and its output
takes the place of the former output. A line ``…`` in a sample stands for lines that are left out.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

FOLDER = Path(__file__).parent
PAGES = ("lists-and-playlists.md", "why.md", "own-music.md", "index-versions.md")
"""Pages with samples, in the order in which their commands are run. Commands of later pages change the library."""

_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
_SAMPLE = re.compile(r"^\$ (?P<command>.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)
_NOT_REPEATABLE = ("mfcc add ~", "mfcc purge", "mfcc remove", "mfcc watch")
"""Beginnings of commands whose arguments exist only in the library of the reader, or that only the reader ends."""

_CHANGING = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "mfcc_data"
        environment = os.environ | {"MFCC_HOME": str(home)}
        subprocess.run([sys.executable, "-m", "mfcc_assets.demo"], env=environment, check=True, capture_output=True)
        for name, text in written_pages(home):
            (FOLDER / name).write_text(text)


def written_pages(home: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page with samples, after its commands were run on a library of the demo.

    Parameters
    ----------
    home
        Home of the library. Some commands change it.
    """
    with tempfile.TemporaryDirectory() as folder:
        # Some commands write files into the current folder, and some name files of the package.
        (Path(folder) / "mfcc_assets").symlink_to(str(files("mfcc_assets")))
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MFCC_")}
        environment |= {"MFCC_HOME": str(home), "PATH": path}
        for name in PAGES:
            text = (FOLDER / name).read_text()
            yield name, _BLOCK.sub(lambda block: _with_output(block.group(), environment, Path(folder)), text)


def _with_output(block: str, environment: Mapping[str, str], folder: Path) -> str:
    return _SAMPLE.sub(lambda sample: _rewritten(sample, environment, folder), block)


def _rewritten(sample: re.Match[str], environment: Mapping[str, str], folder: Path) -> str:
    command, former = sample["command"], sample["output"].splitlines()
    if not former or not command.startswith("mfcc ") or command.startswith(_NOT_REPEATABLE):
        return sample.group()
    # Samples use pipes, and the commands stand in this repository.
    ran = subprocess.run(  # noqa: S602
        command, shell=True, cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    place = str(Path(environment["MFCC_HOME"]).parent)
    lines = [line.rstrip() for line in ran.stdout.replace(place, "…").splitlines()]
    if "…" in former:
        first = former.index("…")
        rest = len(former) - first - 1
        lines = [*lines[:first], "…", *lines[len(lines) - rest :]]
    if _without_changing_parts(lines) == _without_changing_parts(former):
        return sample.group()
    return "".join(f"{line}\n" for line in [f"$ {command}", *lines])


def _without_changing_parts(lines: list[str]) -> list[str]:
    """Return lines without the times and the widths that differ from run to run."""
    return [_CHANGING.sub("", line).strip() for line in lines]


if __name__ == "__main__":
    main()
