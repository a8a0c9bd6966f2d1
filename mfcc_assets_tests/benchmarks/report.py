"""The pages of measurements: sections of text, tables and plots."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from matplotlib.figure import Figure

FOLDER = Path(__file__).parent
FIGURES = "figures"
PAGE = FOLDER / "RESULTS.md"


@dataclass
class Section:
    """A section of a page. Its blocks are added in reading order."""

    title: str
    page: Path = PAGE
    blocks: list[str] = field(default_factory=list)

    def text(self, words: str) -> Self:
        self.blocks.append(words)
        return self

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Self:
        lines = [columns, ["---"] * len(columns), *rows]
        self.blocks.append("\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines))
        return self

    def plot(self, figure: Figure, name: str, caption: str) -> Self:
        (FOLDER / FIGURES).mkdir(exist_ok=True)
        figure.savefig(FOLDER / FIGURES / f"{name}.png", dpi=110, bbox_inches="tight", metadata={"Software": None})
        self.blocks.append(f"![{caption}]({FIGURES}/{name}.png)\n\n*{caption}*")
        return self

    def __str__(self) -> str:
        return "\n\n".join([f"## {self.title}", *self.blocks])


def write(heading: str, sections: Iterable[Section]) -> None:
    """Write the whole pages of all sections. The figures are in a folder beside them."""
    for page, of_page in _by_page(sections).items():
        page.write_text("\n\n".join([heading, *map(str, of_page)]) + "\n")


def replace(sections: Iterable[Section]) -> None:
    """Put new sections in place of those with the same titles, or at the end of their page. Others stay."""
    for page, of_page in _by_page(sections).items():
        heading, *written = page.read_text().rstrip("\n").split("\n\n## ")
        blocks = {block.partition("\n")[0]: block for block in written}
        blocks |= {section.title: str(section).removeprefix("## ") for section in of_page}
        page.write_text("\n\n## ".join([heading, *blocks.values()]) + "\n")


def _by_page(sections: Iterable[Section]) -> dict[Path, list[Section]]:
    pages: dict[Path, list[Section]] = {}
    for section in sections:
        pages.setdefault(section.page, []).append(section)
    return pages
