"""The page of measurements: sections of text, tables and plots."""

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
    """A section of the page. Its blocks are added in reading order."""

    title: str
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


def write(heading: str, sections: Iterable[Section], page: Path = PAGE) -> None:
    """Write the whole page. The figures are in a folder beside it."""
    page.write_text("\n\n".join([heading, *map(str, sections)]) + "\n")


def replace(sections: Iterable[Section], page: Path = PAGE) -> None:
    """Put new sections in place of those with the same titles, or at the end of the page. Others stay."""
    heading, *written = page.read_text().rstrip("\n").split("\n\n## ")
    blocks = {block.partition("\n")[0]: block for block in written}
    blocks |= {section.title: str(section).removeprefix("## ") for section in sections}
    page.write_text("\n\n## ".join([heading, *blocks.values()]) + "\n")
