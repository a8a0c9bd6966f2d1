"""The tables of deploy/SCALING.md agree with the measurements."""

import re
from pathlib import Path

import pytest

from mfcc_assets_tests.benchmarks.scaling_tables import PAGE, PRICE, main, measurements, rates_of, replaced, tables

MEASURED = measurements()


def test_the_page_has_the_tables_that_the_command_writes() -> None:
    page = PAGE.read_text()

    for table in tables(rates_of(MEASURED), PRICE).split("\n\n"):
        assert table in page, "Run: python -m mfcc_assets_tests.benchmarks.scaling_tables"


def test_rates_are_those_of_the_measurements() -> None:
    rates = rates_of(MEASURED)

    assert 0.05 < rates.features < 5
    assert rates.shared["candidates"].at(1_000_000) > rates.shared["candidates"].at(100_000) > 0
    assert rates.run["quality"].at(1_000_000) > 0
    assert 0 < rates.further.at(100_000) < 100
    assert min(rates.start, rates.job, rates.item, rates.look, *rates.alone.values()) > 0


@pytest.mark.parametrize("lost", ["## Features", "| one track more |", "minutes of audio"])
def test_a_figure_that_is_missing_is_named(lost: str) -> None:
    with pytest.raises(ValueError, match="the measurements have no"):
        rates_of(MEASURED.replace(lost, "nothing"))


def test_the_command_replaces_the_tables_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())

    main(["--price", "7.25"], page)

    assert "7.25 dollars" in page.read_text()
    assert _without_tables(page.read_text()) == _without_tables(PAGE.read_text())
    main([], page)
    assert page.read_text() == PAGE.read_text()


def test_a_table_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="'b' is the title of 0 tables"):
        replaced("| a |\n| --- |\n", "| b |\n| --- |")


def _without_tables(page: str) -> str:
    return re.sub(r"^\|.*\n", "", page, flags=re.MULTILINE)
