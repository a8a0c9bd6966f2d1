"""Write the parts of the pages that can be derived from the code: `python -m docs.write_tables`.

Two comments mark such a part of a page, ``<!-- written: NAME -->`` and ``<!-- end -->``. A test fails if a part is out
of date.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import click

from mfcc_assets.cli.main import main as mfcc
from mfcc_assets.settings import Settings

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted((REPOSITORY / "docs").glob("*.md"))
_PART = re.compile(r"(<!-- written: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_HELP_WIDTH = 100
_LISTENING, _LOOKING_AFTER = "commands-for-listening.md", "commands-for-the-library.md"
_OF_LISTENING = {"evaluate", "explain", "path", "playlist", "recommend", "uploads", "versions"}


def settings() -> str:
    """Return the table of settings: variable, default, meaning."""
    rows = (
        (f"`MFCC_{name.upper()}`", "" if field.default in ("", None) else f"{field.default}", f"{field.description}")
        for name, field in Settings.model_fields.items()
    )
    return _table(("variable", "default", "meaning"), rows)


def commands() -> str:
    """Return the table of the commands of `mfcc`."""
    rows = (
        (f"[`{name}`]({_page_of(name)}#{name.replace(' ', '-')})", command.get_short_help_str(200))
        for name, command in _commands(mfcc, "mfcc")
    )
    return _table(("command", "what it does"), rows)


def listening() -> str:
    """Return the help texts of the commands that recommend, explain and measure."""
    return _helps(_LISTENING)


def looking_after() -> str:
    """Return the help texts of the commands that look after the library."""
    return _helps(_LOOKING_AFTER)


def targets() -> str:
    """Return the table of the targets of the Makefile."""
    makefile = (REPOSITORY / "Makefile").read_text()
    rows = ((f"`make {name}`", text) for name, text in re.findall(r"^([a-z-]+):.*?## (.*)$", makefile, re.MULTILINE))
    return _table(("target", "what it does"), rows)


def extras() -> str:
    """Return the table of the optional dependencies."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    rows = (
        (f"`{name}`", ", ".join(f"`{re.split(r'[<>=~!;]', package)[0].strip()}`" for package in packages))
        for name, packages in project["optional-dependencies"].items()
    )
    return _table(("extra", "what it installs"), rows)


def layout() -> str:
    """Return the table of the packages, and the modules in each."""
    folders = sorted(path.parent for path in (REPOSITORY / "mfcc_assets").rglob("__init__.py"))
    rows = ((f"`{folder.relative_to(REPOSITORY).as_posix()}`", ", ".join(_modules(folder))) for folder in folders)
    return _table(("package", "modules"), ((name, modules) for name, modules in rows if modules))


WRITERS: Mapping[str, Callable[[], str]] = {
    "settings": settings,
    "commands": commands,
    "listening": listening,
    "looking_after": looking_after,
    "targets": targets,
    "extras": extras,
    "layout": layout,
}


def with_written_parts(text: str) -> str:
    """Return a page in which every marked part agrees with the present code."""
    return _PART.sub(lambda part: f"{part[1]}\n{WRITERS[part[2]]()}\n{part[3]}", text)


def _commands(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def _page_of(name: str) -> str:
    return _LISTENING if name.split()[1] in _OF_LISTENING else _LOOKING_AFTER


def _helps(page: str) -> str:
    return "\n".join(_help(name, command) for name, command in _commands(mfcc, "mfcc") if _page_of(name) == page)


def _help(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name, terminal_width=_HELP_WIDTH)
    return f"## {name}\n\n```text\n{command.get_help(context)}\n```\n"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(header)
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _modules(folder: Path) -> list[str]:
    # Names of migrations are numbers, which nobody looks for.
    names = (path.stem for path in folder.glob("*.py") if not path.stem.startswith("__") and not path.stem[0].isdigit())
    return [f"`{name}`" for name in sorted(names)]


def main() -> None:
    for page in PAGES:
        page.write_text(with_written_parts(page.read_text()))


if __name__ == "__main__":
    main()
