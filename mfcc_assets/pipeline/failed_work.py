"""Work that failed on some items, although nothing is wrong with these items themselves."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from mfcc_assets.compute.port import MOST_FAILED, error_of
from mfcc_assets.errors import MfccError, WorkFailed
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library

_logger = logging.getLogger(__name__)


class FailedWork:
    """Collects the items on which work failed, so that the others are done first.

    Examples
    --------
    >>> failed = FailedWork()
    >>> failed.add(WorkFailed("its work failed (ValueError: no)", subject="0a1b"), "song.mp3")
    >>> failed.raise_first()
    Traceback (most recent call last):
    ...
    mfcc_assets.errors.WorkFailed: song.mp3: its work failed (ValueError: no).
    """

    def __init__(self) -> None:
        self._errors: list[MfccError] = []

    def add(self, error: MfccError, name: str) -> None:
        """Remember the error of an item, and raise it if too many have failed.

        Parameters
        ----------
        error
            The error.
        name
            Name of the item, as people know it. An unexpected error gets it as its subject.
        """
        if isinstance(error, WorkFailed):
            error = WorkFailed(error.what, subject=name, remedy=error.remedy)
        _logger.error("%s", error)
        self._errors.append(error)
        if len(self._errors) >= MOST_FAILED:
            self.raise_first()

    def raise_first(self) -> None:
        """Raise the first error that was added, if there is one. The log has the others."""
        if self._errors:
            raise self._errors[0]


def name_of_audio(library: Library, audio_id: AudioId) -> str:
    """Return the name of a soundtrack with this audio; the audio id itself if there is none."""
    track = library.catalogue.tracks_of_audio([audio_id]).get(audio_id)
    return track.blob_name if track else audio_id


def log_traceback(row: Mapping[str, Any]) -> None:
    """Log where unexpected work failed, given a row of the results of an engine; it may have failed elsewhere."""
    if row["error"]["traceback"]:
        _logger.error("Work on %s failed.\n%s", row["key"], row["error"]["traceback"])


def succeeded(
    results: Iterable[pa.RecordBatch], on_failure: Callable[[str, MfccError], None]
) -> Iterator[pa.RecordBatch]:
    """Yield the results of the items on which work succeeded.

    Parameters
    ----------
    results
        Results of an engine.
    on_failure
        Called with the key and the error of each other item.
    """
    for batch in results:
        code = batch["error_code"]
        for row in batch.filter(code.is_valid()).to_pylist():
            if (error := error_of(row)) is not None:
                log_traceback(row)
                on_failure(row["key"], error)
        yield batch.filter(code.is_null())
