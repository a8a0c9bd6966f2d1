"""Stores figures that are measured once for a calibration. Every version of the index with this calibration has them.

calibration_figures/<digest of the calibration>/<name>      arrays in one file
"""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from numpy.typing import NDArray

from mfcc_assets.errors import BlobNotFound
from mfcc_assets.storage.blobs.port import CEPSTRA, BlobStore
from mfcc_assets.storage.packed_arrays import packed, unpacked

_logger = logging.getLogger(__name__)

_FIGURES = "calibration_figures"


class CalibrationFigures:
    """Reads figures of calibrations, and measures those that are not stored."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def measured_once(
        self, calibration: str, name: str, measure: Callable[[], Mapping[str, NDArray[Any]]]
    ) -> Mapping[str, NDArray[Any]]:
        """Return arrays by name that are measured once for a calibration and kept. Damaged ones are measured again.

        Parameters
        ----------
        calibration
            Digest of the calibration.
        name
            Name of the file.
        measure
            Measures the arrays.
        """
        path = f"{_FIGURES}/{calibration}/{name}"
        try:
            return unpacked(self._blobs.read(CEPSTRA, path))
        except BlobNotFound:
            pass
        except ValueError as error:
            _logger.warning("%s of calibration %s is damaged: %s", name, calibration, error)
        measured = measure()
        self._blobs.write(CEPSTRA, path, packed(measured))
        return measured

    def delete_unused(self, calibrations: Collection[str]) -> None:
        """Delete the figures of all calibrations but some."""
        for calibration in sorted(self._blobs.folders(CEPSTRA, _FIGURES) - set(calibrations)):
            for blob in list(self._blobs.list(CEPSTRA, f"{_FIGURES}/{calibration}/")):
                self._blobs.delete(CEPSTRA, blob.name)
