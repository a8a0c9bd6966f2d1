import zipfile
from pathlib import Path

import pytest

from mfcc_assets.core.ranking import RANKINGS, ranking_named
from mfcc_assets.stores.calibrations import read_calibration, write_calibration
from mfcc_assets.stores.library_index import Calibration, IndexParameters
from mfcc_assets_tests.stores.test_indexes import PARAMETERS, assert_same_calibration, library_index


def calibration(*seeds: int, ranking: str = "fused") -> Calibration:
    return library_index(*seeds, parameters=IndexParameters(PARAMETERS.features, ranking, 5)).calibration


@pytest.mark.parametrize("name", RANKINGS)
@pytest.mark.parametrize("seeds", [(), (1,), (1, 2, 3)], ids=["of no track", "of one track", "of three tracks"])
def test_what_is_written_is_read(tmp_path: Path, name: str, seeds: tuple[int, ...]):
    written = calibration(*seeds, ranking=name)
    write_calibration(written, tmp_path / "calibration.npz")
    assert_same_calibration(read_calibration(tmp_path / "calibration.npz", ranking_named(name)), written)


def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "calibration.npz", "w"):
        pass
    with pytest.raises(KeyError):
        read_calibration(tmp_path / "calibration.npz", ranking_named("fused"))


def test_a_calibration_has_the_digest_of_its_sample():
    assert calibration(1, 2).digest == calibration(1, 2).digest != calibration(1, 3).digest
