"""Write the tables of deploy/SCALING.md from the measurements: ``python -m … [--price DOLLARS]``."""

import argparse
import csv
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets_tests.benchmarks import report, scaling
from mfcc_assets_tests.benchmarks.report import Section
from mfcc_assets_tests.benchmarks.scaling_model import (
    Computers,
    Grown,
    Load,
    Part,
    Rates,
    first_load,
    largest_within,
    load,
    week,
)
from mfcc_assets_tests.services.processes import REPOSITORY

PAGE = REPOSITORY / "deploy" / "SCALING.md"

TRACK_SECONDS = 240
PRICE = 0.10
"""Price of a core hour in dollars. It is an assumption, and no price of anyone."""

CLUSTER_START = 300.0
"""Seconds until the machines of a cluster have started. They are an assumption, too."""

COMPUTERS = (
    Computers("2", 2, 2),
    Computers("32", 32, 32),
    Computers("320 in a cluster", 320, 8, CLUSTER_START),
)
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
HOURS = (1, 12, 24, 72)

_LARGEST = 100_000_000
_RUN = ("index", "candidates", "rankings", "quality", "publication", "recommendations")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def measurements() -> str:
    """Return the text of the pages of measurements."""
    return report.PAGE.read_text() + scaling.PAGE.read_text()


def rates_of(page: str) -> Rates:
    """Return the rates in the text of the measurements.

    Raises
    ------
    ValueError
        If the text lacks a figure.
    """
    growth, engines = _section(page, "A library that grows"), _section(page, scaling.TITLE)
    features, large = _section(page, "Features"), _section(page, "From a thousand to a million tracks")
    first, one, built = (_table(growth, title) for title in ("first lists", "one track more", "core ms for one track"))
    sizes = _numbers(first["first lists"][0])[0], _numbers(first["first lists"][1])[0]

    def grown(small: float, large: float) -> Grown:
        return Grown((int(sizes[0]), int(sizes[1])), (small, large))

    def built_by(*rows: str) -> Grown:
        seconds = [sum(_numbers(built[row][place])[0] for row in rows) / 1e3 for place in (0, 1)]
        return grown(seconds[0], seconds[1])

    minutes = _number(features, r"with ([\d,]+) minutes of audio") / _number(features, r"load analysed ([\d,]+) tracks")
    more = [_number(growth, rf"{word} ([\d,]+) core s in ") for word in ("take", "and")]
    many = _number(growth, r"([\d,]+) tracks more at once")
    fixed = [sum(_numbers(one[name][place])[1] for name in _RUN) for place in (0, 1)]
    further = [max(0.0, of_many - of_one) / (many - 1) for of_many, of_one in zip(more, fixed, strict=True)]
    shares, beside = _table(engines, "speed-up"), _table(engines, "beside the work")
    alone = {name: _numbers(cells[-1])[0] / 1e3 for name, cells in shares.items() if name != "speed-up"}
    return Rates(
        look=2 * _number(engines, r"in ([\d.]+) ms for each") / 1e3,
        features=_number(features, r"([\d.]+) CPU seconds per track") * TRACK_SECONDS / (60 * minutes),
        read=2 * 60 * _number(large, r"which takes ([\d,]+) minutes \(extrapolated") / 1e6,
        write=_number(large, r"takes another ([\d,]+) s") / 1e6,
        shared={
            "index": built_by("distance statistics"),
            "candidates": built_by("windows", "candidates"),
            "rankings": built_by("rankings"),
        },
        alone={
            "features": alone["analysis"] + alone["track features"],
            "candidates": alone["candidates"],
            "rankings": alone["rankings"],
        },
        lists=grown(*(_numbers(first["recommendations"][place])[0] / sizes[place] for place in (0, 1))),
        run={name: grown(*(_numbers(one[name][place])[0] for place in (0, 1))) for name in _RUN},
        further=grown(further[0], further[1]),
        start=_numbers(beside["start"][-1])[0],
        job=_numbers(beside["each further job"][-1])[0] / 1e3,
        item=_numbers(beside["each item"][-1])[0] / 1e3,
    )


def _section(page: str, title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    if not found:
        raise ValueError(f"the measurements have no section {title!r}")
    return found[1]


def _table(section: str, title: str) -> dict[str, list[str]]:
    """Return the rows of the table whose first column has a title: the other cells by the first one."""
    found = re.search(rf"^\| {re.escape(title)} \|.*(?:\n\|.*)*", section, re.MULTILINE)
    if not found:
        raise ValueError(f"the measurements have no table {title!r}")
    header, _, *lines = found[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in (header, *lines)]
    return {cells[0]: cells[1:] for cells in rows}


def _numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in _NUMBER.findall(text)]


def _number(section: str, pattern: str) -> float:
    found = re.search(pattern, section)
    if not found:
        raise ValueError(f"the measurements have no {pattern!r}")
    return float(found[1].replace(",", ""))


def lengths_of_tracks() -> NDArray[np.float64]:
    """Return the lengths of the tracks of the development corpus, longest first."""
    with (report.FOLDER / "corpus.csv").open(newline="") as file:
        return np.sort([float(row["seconds"]) for row in csv.DictReader(file)])[::-1]


def tables(rates: Rates, price: float) -> str:
    """Return all tables of the page."""
    lengths = lengths_of_tracks()

    def of(parts: list[Part], computers: Computers) -> Load:
        return load(parts, lengths, computers, rates)

    section = Section("")
    _rates_table(section, rates, price)
    for name, parts_of in (("first load", first_load), ("a week", week)):
        section.table(
            [name, "cores", "time", "core hours of work", "core hours paid", "dollars", "serial part", "longest in it"],
            [
                [f"{size:,} tracks", computers.name, *_cells(of(parts_of(size, rates), computers), price)]
                for size in SIZES
                for computers in COMPUTERS
            ],
        )
    time_of: dict[str, Callable[[int], float]] = {
        computers.name: lambda size, computers=computers: of(first_load(size, rates), computers).seconds  # type: ignore[misc]
        for computers in COMPUTERS
    }
    section.table(
        ["a first load within", *(f"{name} cores" if name.isdigit() else f"{name}" for name in time_of)],
        [
            [f"{hours} h", *(f"{largest_within(hours, time, _LARGEST):,} tracks" for time in time_of.values())]
            for hours in HOURS
        ],
    )
    return "\n\n".join(section.blocks)


def _rates_table(section: Section, rates: Rates, price: float) -> None:
    million = 1_000_000
    run = sum(rate.at(million) for rate in rates.run.values())
    section.table(
        ["rate", "for", "seconds"],
        [
            ["look at a new file", "a file, one core", f"{rates.look:.4f}"],
            ["features", f"a track of {TRACK_SECONDS // 60} minutes, one core", f"{rates.features:.2f}"],
            *(
                [f"{name}, in a library of {million:,}", "a track, one core", f"{rate.at(million):.4f}"]
                for name, rate in rates.shared.items()
            ),
            *([f"{name}: the run itself", "a track", f"{seconds:.5f}"] for name, seconds in rates.alone.items()),
            ["recommendations, first", f"a track of {million:,}", f"{rates.lists.at(million):.5f}"],
            ["a run for one new track, after its features", f"a library of {million:,}", f"{run:.0f}"],
            [
                "each further new track of a run",
                f"in a library of {million:,}, one core",
                f"{rates.further.at(million):.2f}",
            ],
            ["start of Spark", "a run", f"{rates.start:.0f}"],
            ["a job of Spark", "a job", f"{rates.job:.2f}"],
            ["an item on Spark, beside its work", "an item", f"{rates.item:.4f}"],
            ["start of the machines of a cluster (assumed)", "a run", f"{CLUSTER_START:.0f}"],
            ["price of a core hour (assumed)", "a core", f"{price:.2f} dollars"],
        ],
    )


def _cells(found: Load, price: float) -> list[str]:
    share = found.serial_seconds / found.seconds
    return [
        _time(found.seconds),
        _amount(found.worked / 3600, 1),
        _amount(found.paid / 3600, 1),
        _amount(found.paid / 3600 * price, 2),
        f"{_time(found.serial_seconds)}, {share:.0%}",
        found.longest_serial,
    ]


def _amount(amount: float, digits: int) -> str:
    """Return an amount with some digits after the point.

    Examples
    --------
    >>> _amount(1234.56, 1), _amount(0.02, 1)
    ('1,234.6', '< 0.1')
    """
    least = 10.0**-digits
    return f"{amount:,.{digits}f}" if amount >= least else f"< {least}"


def _time(seconds: float) -> str:
    """Return a time with a suitable unit.

    Examples
    --------
    >>> _time(90), _time(5400), _time(200_000)
    ('1.5 min', '1.5 h', '2.3 days')
    """
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size * (2 if unit == "days" else 1):
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.0f} s"


def replaced(page: str, written: str) -> str:
    """Return a page with new tables in place of those whose first column has the same title.

    Raises
    ------
    ValueError
        If the page lacks one of the tables.
    """
    for table in written.split("\n\n"):
        title = table.split("|")[1]
        pattern = re.compile(rf"^\|{re.escape(title)}\|.*\n(?:\|.*(?:\n|\Z))*", re.MULTILINE)
        page, count = pattern.subn(lambda _, table=table: f"{table}\n", page)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"{title.strip()!r} is the title of {count} tables instead of one")
    return page


def main(arguments: Sequence[str] | None = None, page: Path = PAGE) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--price", type=float, default=PRICE, help="dollars for a core hour")
    price = parser.parse_args(arguments).price
    page.write_text(replaced(page.read_text(), tables(rates_of(measurements()), price)))
    sys.stderr.write(f"{page}\n")


if __name__ == "__main__":
    main()
