"""`mfcc evaluate` as its user has it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mfcc_assets.cli.main import main
from mfcc_assets.similarity.rankings import RANKINGS
from mfcc_assets_tests.audio_samples import write_music

FIGURES = [
    *("p_at_1", "p_at_5", "p_at_5_low", "p_at_5_high", "p_at_5_over_labels"),
    *("above_default", "above_default_low", "above_default_high"),
    *("hit_at_5", "hub_skewness", "largest_count", "never_recommended", "map_work"),
]
PART = ["queries", "labels", "p_at_5", "p_at_5_low", "p_at_5_high"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pieces by one artist, two of them of one work, with a manifest that names a fifth."""
    folder = tmp_path_factory.mktemp("audio")
    rows = ["path,artist,source,work", "missing [1].ogg,Bach,game,"]
    for number in range(4):
        write_music(folder / f"{number}.flac", 8.0, seed=number)
        rows.append(f"{number}.flac,Bach,game,{'Aria' if number < 2 else ''}")
    (folder / "manifest.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def mfcc_evaluate(home: Path, folder: Path, *arguments: str | Path) -> Result:
    given = ["evaluate", "--manifest", folder / "manifest.csv", "--audio", folder, *arguments]
    return CliRunner().invoke(main, [str(argument) for argument in given], env={"MFCC_HOME": str(home)})


def test_a_place_that_cannot_be_written_is_found_before_the_measurement(home, folder, tmp_path) -> None:
    result = mfcc_evaluate(home, folder, "--json", tmp_path / "no folder" / "figures.json")
    assert result.exit_code == 1
    assert "figures.json" in result.output
    assert "P@5" not in result.output


def test_all_rankings_are_measured_and_the_floor(home: Path, folder: Path, tmp_path: Path) -> None:
    result = mfcc_evaluate(home, folder, "--json", tmp_path / "figures.json")

    assert result.exit_code == 0, result.output
    assert "left out missing [1].ogg: it cannot be opened (No such file or directory)\n" in result.output
    report = json.loads((tmp_path / "figures.json").read_text())
    assert report["tracks"] == 4
    assert list(report["rejected"]) == ["missing [1].ogg"]
    assert {*RANKINGS, "timbre_uncorrected", "file", "random"} < set(report["rankings"])
    assert (report["queries"], report["labels"]) == (4, 1)
    assert "4 tracks, 1 left out; 4 queries of 1 labels" in result.output
    for name, figures in report["rankings"].items():
        assert list(figures) == FIGURES
        assert figures["p_at_1"] == 1.0
        assert 0 < figures["map_work"] <= 1
        assert f"│ {name} " in result.output
    assert set(report["other_sources"]) == set(report["rankings"])
    for parts in report["other_sources"].values():
        assert list(parts) == ["other_albums", "other_packages", "unlike_files", "thinned"]
        assert all(list(figures) == PART for figures in parts.values())
        assert parts["other_albums"]["queries"] == 0, "all files are in one folder"
    assert report["library_sizes"] == {}, "there are fewer than twenty tracks"
    assert report["headline"] is None
    assert result.output.endswith("P@5 in mixed libraries. The option --reencode measures it.\n")


def test_one_ranking_may_be_asked_for(home: Path, folder: Path, tmp_path: Path) -> None:
    result = mfcc_evaluate(home, folder, "--ranking", "dtw", "--json", tmp_path / "figures.json")

    assert result.exit_code == 0, result.output
    assert list(json.loads((tmp_path / "figures.json").read_text())["rankings"]) == ["dtw", "file", "random"]


def test_a_ranking_that_is_not_there_is_told_before_anything_is_analysed(folder: Path, tmp_path: Path) -> None:
    result = mfcc_evaluate(tmp_path / "home", folder, "--ranking", "best")

    assert result.exit_code == 1
    assert "Error: best: there is no such ranking to evaluate. Choose one of: all, article" in result.output
    assert not (tmp_path / "home" / "evaluation").exists()


def test_re_encoded_figures_stand_beside_the_clean_ones(home: Path, folder: Path, tmp_path: Path) -> None:
    arguments = ("--ranking", "gaussian", "--reencode", "--json")
    result = mfcc_evaluate(home, folder, *arguments, tmp_path / "figures.json")

    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "figures.json").read_text())
    reencoded = report["reencoded"]
    assert reencoded["tracks"] == 4
    assert list(reencoded["rankings"]) == ["gaussian", "random"]
    assert list(reencoded["rankings"]["gaussian"]) == [*FIGURES, "p_at_5_kept"]
    assert reencoded["rankings"]["gaussian"]["p_at_5_kept"] == 1.0
    assert reencoded["own_track_first"] == 1.0
    assert "4 excerpts of 30 s, MP3 of 64 kbit/s: recognition finds the right track first for 100.0%" in result.output
    assert list(report["mixed"]) == ["one_chain", "several_chains"]
    for of_chain in report["mixed"].values():
        assert list(of_chain) == ["half", "tenth"]
        for figures in of_chain.values():
            assert list(figures) == ["gaussian", "random"]
            for part in figures["gaussian"].values():
                assert list(part) == ["precision", "same", "same_by_chance"]
                assert list(part["precision"]) == PART
    half = report["mixed"]["one_chain"]["half"]["gaussian"]["all_queries"]
    assert report["headline"] == {"ranking": "gaussian", **half}
    assert half["precision"]["queries"] == 16
    assert half["same_by_chance"] == pytest.approx(1 / 3)
    last = result.output.splitlines()[-1]
    assert last.startswith("Mixed libraries, half of the tracks re-encoded: gaussian has P@5 0.600 [0.600, 0.600]")
