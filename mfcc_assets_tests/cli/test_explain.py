"""The command `mfcc explain`, as its user sees it."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mfcc_assets.cli.explain import explain
from mfcc_assets.library import Library


def mfcc_explain(library: Library, *arguments: str | Path) -> Result:
    return CliRunner().invoke(explain, [str(argument) for argument in arguments], obj=library)


def test_a_pair_is_explained_in_sentences_first(ten_tracks: Library) -> None:
    result = mfcc_explain(ten_tracks, "Song 1", "song-2")

    assert result.exit_code == 0, result.output
    record = json.loads(mfcc_explain(ten_tracks, "Song 1", "song-2", "--json").stdout)
    assert result.output.splitlines()[0] == " ".join(record["sentences"])
    assert re.search(
        r"As a whole they are (very near|near|fairly near|not near|far): closer than .* of the library\.", result.output
    )
    assert "COE_" not in result.output


def test_the_figures_of_a_pair_are_shown_as_details(ten_tracks: Library) -> None:
    result = mfcc_explain(ten_tracks, "Song 1", "song-2", "--details")

    assert re.search(r"^Distance [0-9.]+ by fused$", result.output, re.MULTILINE)
    assert "\n│ timbre " in result.output
    (closer,) = [line for line in result.output.splitlines() if line.startswith("Closer than ")]
    assert closer.endswith(" of 45 random pairs of the library.")
    assert "│ COE_2       │ brightness: energy below 2.0 kHz against energy above" in result.output


def test_a_track_sounds_like_itself_from_beginning_to_end(ten_tracks: Library) -> None:
    output = mfcc_explain(ten_tracks, "Song 1", "Song 1").output

    assert "rom 0:00 of the first track and 0:00 of the second track they sound nearly the same for 3 s." in output
    assert "│ 0:00–0:03 │ 0:00–0:03 │ " in output


def test_a_pair_is_explained_as_json(ten_tracks: Library) -> None:
    record = json.loads(mfcc_explain(ten_tracks, "Song 1", "Song 2", "--json").stdout)

    assert (record["a"]["title"], record["b"]["title"]) == ("Song 1", "Song 2")
    assert len(record["coefficients"]) == 10
    assert "as_published" not in record


def test_a_pair_is_compared_as_published(ten_tracks: Library) -> None:
    result = mfcc_explain(ten_tracks, "Song 1", "Song 2", "--as-published")

    assert result.exit_code == 0, result.output
    assert "Our cepstra against the published ones" in result.output
    for file in ("song-1.flac", "song-2.flac"):
        assert re.search(rf"{file} │ 297 +│ [0-9].[0-9]e-0[4-9]", result.output)
    assert re.search(r"by fastdtw, [0-9,]+ exactly. fastdtw's distance is [0-9.]+ % too large.", result.output)


def test_the_comparison_as_published_is_part_of_the_json(ten_tracks: Library) -> None:
    record = json.loads(mfcc_explain(ten_tracks, "Song 1", "Song 2", "--as-published", "--json").stdout)

    published = record["as_published"]
    assert published["a"]["frames"] == 297
    assert published["b"]["largest_difference"] < 1e-3
    distance = published["distance"]
    assert distance["fastdtw"] == pytest.approx(distance["exact"] * (1 + distance["excess_percent"] / 100))
    assert distance["excess_percent"] > 0


def test_pictures_are_drawn_into_files(ten_tracks: Library, tmp_path: Path) -> None:
    for name, begin in (("pair.png", b"\x89PNG"), ("pair.SVG", b"<?xml")):
        result = mfcc_explain(ten_tracks, "Song 1", "Song 2", "--picture", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert (tmp_path / name).read_bytes().startswith(begin)
        assert result.stderr == f"Wrote the picture to {tmp_path / name}.\n"


def test_a_picture_of_another_form_is_refused(ten_tracks: Library, tmp_path: Path) -> None:
    result = mfcc_explain(ten_tracks, "Song 1", "Song 2", "--picture", tmp_path / "pair.gif")

    assert result.exit_code == 2
    assert "pair.gif ends neither in .png nor in .svg." in result.output
