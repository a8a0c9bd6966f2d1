"""Stored parameters and calibrations."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mfcc_assets.search.index import Calibration, IndexParameters
from mfcc_assets.similarity.rankings import RANKINGS, ranking_named
from mfcc_assets.storage.index_parts import (
    parameters_of_record,
    parameters_record,
    read_calibration,
    write_calibration,
)
from mfcc_assets_tests.storage.random_index import PARAMETERS, library_index
from mfcc_assets_tests.storage.test_index_store import assert_same_calibration


def calibration(*seeds: int, ranking: str = "fused") -> Calibration:
    return library_index(*seeds, parameters=IndexParameters(PARAMETERS.features, ranking, 5)).calibration


@pytest.mark.parametrize("name", RANKINGS)
@pytest.mark.parametrize("seeds", [(), (1,), (1, 2, 3)], ids=["of no track", "of one track", "of three tracks"])
def test_a_written_calibration_can_be_read(tmp_path: Path, name: str, seeds: tuple[int, ...]):
    written = calibration(*seeds, ranking=name)
    with (tmp_path / "calibration.npz").open("wb") as file:
        write_calibration(written, file)
    assert_same_calibration(read_calibration(tmp_path / "calibration.npz", ranking_named(name)), written)


def test_a_file_that_is_not_a_calibration_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "calibration.npz", "w"):
        pass
    with pytest.raises(KeyError):
        read_calibration(tmp_path / "calibration.npz", ranking_named("fused"))


def test_parameters_that_were_written_and_read_are_the_same():
    parameters = IndexParameters(PARAMETERS.features, "article", 7)
    assert parameters_of_record(parameters_record(parameters)) == parameters


def test_the_digest_of_a_calibration_depends_on_its_sample():
    assert calibration(1, 2).digest == calibration(1, 2).digest != calibration(1, 3).digest


def test_a_calibration_that_was_written_and_read_keeps_its_digest(tmp_path: Path):
    written = calibration(1, 2, 3)
    with (tmp_path / "calibration.npz").open("wb") as file:
        write_calibration(written, file)
    assert read_calibration(tmp_path / "calibration.npz", ranking_named("fused")).digest == written.digest


@pytest.mark.parametrize("changed", ["scales", "statistics", "contours", "feature_table"])
def test_everything_that_changes_a_distance_changes_the_digest(changed: str):
    former = calibration(1, 2, 3)
    reference = former.reference
    tracks = reference.tracks
    raised = replace(tracks.contours, frames=tracks.contours.frames + np.float32(0.01))
    shifted = replace(tracks.feature_table, means=tracks.feature_table.means + 0.01)
    other = {
        "scales": replace(reference, scales=reference.scales * 1.01),
        "statistics": replace(
            reference, statistics=replace(reference.statistics, means=reference.statistics.means + 0.01)
        ),
        "contours": replace(reference, tracks=replace(tracks, contours=raised)),
        "feature_table": replace(reference, tracks=replace(tracks, feature_table=shifted)),
    }
    assert replace(former, reference=other[changed]).digest != former.digest


def test_the_lists_of_the_vector_index_change_the_digest():
    former = calibration(1, 2, 3)
    one, other = (replace(former, centres=np.full((1, 3), value, np.float32)) for value in (0, 1))
    assert len({former.digest, one.digest, other.digest}) == 3


def test_the_lists_of_a_calibration_are_read_as_they_were_written(tmp_path: Path):
    written = replace(calibration(1, 2, 3), centres=np.arange(6, dtype=np.float32).reshape(2, 3))
    with (tmp_path / "calibration.npz").open("wb") as file:
        write_calibration(written, file)
    assert_same_calibration(read_calibration(tmp_path / "calibration.npz", ranking_named("fused")), written)
