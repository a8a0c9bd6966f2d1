"""Parts of long lists, and lists for programs."""

import pytest

from mfcc_assets.cli.listing import page_of, print_tsv


def test_a_page_is_a_part_of_the_rows() -> None:
    assert page_of(range(5), None, 0) == range(5)
    assert page_of(range(5), 2, 1) == range(1, 3)
    assert page_of(range(5), 2, 9) == range(5, 5)


def test_no_name_can_break_a_tab_separated_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_tsv(["name", "seconds"], [["a\tb\nc\x1b[2J", None]])

    assert capsys.readouterr().out == "name\tseconds\na b c\N{REPLACEMENT CHARACTER}[2J\t\n"
