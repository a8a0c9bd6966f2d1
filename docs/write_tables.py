"""Write the parts of the pages that can be derived from the code: `python -m docs.write_tables`.

Two comments mark such a part of a page, ``<!-- written: NAME -->`` and ``<!-- end -->``. A test fails if a part is out
of date.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click

from mfcc_assets.cli.main import main as mfcc
from mfcc_assets.settings import Settings

REPOSITORY = Path(__file__).parents[1]
PAGES = sorted((REPOSITORY / "docs").glob("*.md"))
_PART = re.compile(r"(<!-- written: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_HELP_WIDTH = 100


def settings() -> str:
    """Return the table of settings: variable, default, meaning."""
    rows = (
        (f"`MFCC_{name.upper()}`", "" if field.default in ("", None) else f"{field.default}", f"{field.description}")
        for name, field in Settings.model_fields.items()
    )
    return _table(("variable", "default", "meaning"), rows)


def commands() -> str:
    """Return the table of the commands of `mfcc` that stand in no group, and the help text of each."""
    single = ((name, each) for name, each in mfcc.commands.items() if not isinstance(each, click.Group))
    return _described((f"mfcc {name}", command) for name, command in single)


def grouped_commands() -> str:
    """Return the table of the commands of `mfcc` that stand in a group, and the help text of each."""
    groups = ((name, each) for name, each in mfcc.commands.items() if isinstance(each, click.Group))
    return _described(
        (f"mfcc {name} {command_name}", command)
        for name, group in groups
        for command_name, command in group.commands.items()
    )


def targets() -> str:
    """Return the table of the targets of the Makefile."""
    makefile = (REPOSITORY / "Makefile").read_text()
    rows = ((f"`make {name}`", text) for name, text in re.findall(r"^([a-z]+):.*?## (.*)$", makefile, re.MULTILINE))
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
    "grouped_commands": grouped_commands,
    "targets": targets,
    "extras": extras,
    "layout": layout,
}


def with_written_parts(text: str) -> str:
    """Return a page in which every marked part agrees with the present code."""
    return _PART.sub(lambda part: f"{part[1]}\n{WRITERS[part[2]]()}\n{part[3]}", text)


def _described(commands: Iterable[tuple[str, click.Command]]) -> str:
    found = sorted(commands, key=lambda named: named[0])
    rows = ((f"[`{name}`](#{name.replace(' ', '-')})", command.get_short_help_str(200)) for name, command in found)
    return "\n".join([_table(("command", "what it does"), rows), *(_help(name, command) for name, command in found)])


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
