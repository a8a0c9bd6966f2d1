"""Repair of damaged features: a run finds them, deletes them, and computes them again from the soundtracks."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.reader import AudioLimits
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import AudioError, BlobNotFound, FeaturesDamaged, FeaturesMissing
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.progress import Report, Tally, unseen
from mfcc_assets.pipeline.store_features import store_analysis, store_track_features
from mfcc_assets.storage.blobs.port import SOUNDTRACKS, Blob, BlobStore
from mfcc_assets.storage.cepstra_files import version_in
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets.storage.last_check import CHECKED_IN_TURN

_AGAIN = "This run computes them again."
_OF_OTHERS = "They are deleted, as they are not of the present parameters."

_Features = TypeVar("_Features")
_logger = logging.getLogger(__name__)


def remove_damaged_features(library: Library, run_id: str = "") -> list[str]:
    """Delete damaged features, so that the run computes them again, and return a sentence for each.

    All files that were written or changed since the last call are read, and the next ones of the others in turn: see
    `mfcc_assets.storage.last_check`.
    """
    parameters = library.feature_parameters
    library.features.forget_listings()
    last = library.features.last_check(parameters)
    due, done = last.due(library.features.stored(parameters, run_id), CHECKED_IN_TURN)

    def fault(blob: Blob) -> str:
        try:
            library.features.check(blob)
        except FeaturesMissing as error:
            return _removed(library, blob, error, _AGAIN)
        return ""

    damage = _recorded(library, (sentence for _, sentence in on_all_cores(fault, due)))
    if done != last:
        library.features.set_last_check(done, parameters)
    return damage


def take_over_former_cepstra(library: Library, report_progress: Report = unseen) -> list[str]:
    """Write the cepstra that an older version of this program stored as they are written now; none is computed.

    Damaged ones are deleted, so that the run computes them again. Return a sentence for each of these.
    """
    former = list(library.features.former_cepstra())
    if not former:
        return []
    version = library.feature_parameters.cepstra.version

    def fault(blob: Blob) -> str:
        try:
            library.features.take_over(blob)
        except FeaturesDamaged as error:
            return _removed(library, blob, error, _AGAIN if version_in(blob.name) == version else _OF_OTHERS)
        except FeaturesMissing:
            _logger.info("%s was taken over or deleted meanwhile.", blob.name)
        return ""

    tally, faults = Tally(report_progress, "Writing cepstra as a table", len(former)), []
    for blob, sentence in on_all_cores(fault, former):
        faults.append(sentence)
        tally.end(blob.name)
    return _recorded(library, faults)


def record_checked_features(library: Library, run_id: str = "") -> None:
    """Record that all present features were written or checked by this run, for `remove_damaged_features`."""
    parameters = library.feature_parameters
    times = [blob.modified for blob in library.features.stored(parameters, run_id)]
    if times:
        last = library.features.last_check(parameters)
        library.features.set_last_check(replace(last, until=max(times)), parameters)


def repaired(
    library: Library, read: Callable[[], _Features], audio_id: AudioId, parameters: FeaturesParameters
) -> _Features:
    """Read features of an audio. If they are damaged, compute and store them again, and read once more.

    Track features are computed from the cepstra, and cepstra from the soundtrack.

    Raises
    ------
    FeaturesMissing
        If there are no features, or damaged ones cannot be computed again.
    """
    try:
        return read()
    except FeaturesDamaged as error:
        _log_repair(library, error)
        compute_track_features(library, audio_id, parameters)
        return read()


def cepstra_of(library: Library, audio_id: AudioId, parameters: FeaturesParameters) -> NDArray[np.float32]:
    """Return the cepstra (frames, d) of an audio id. Damaged ones are computed again. Raises as `repaired`."""
    return repaired(library, lambda: library.features.read_cepstra(audio_id, parameters.cepstra), audio_id, parameters)


def compute_track_features(library: Library, audio_id: AudioId, parameters: FeaturesParameters) -> None:
    """Compute and store the track features of an audio, and its cepstra if they are damaged.

    Raises
    ------
    FeaturesMissing
        If the cepstra are missing, or are damaged and no usable soundtrack has this audio any more.
    """
    try:
        store_track_features(library.features, audio_id, parameters)
    except FeaturesDamaged as error:
        track = library.catalogue.tracks_of_audio([audio_id]).get(audio_id)
        if track is None:
            raise
        _log_repair(library, error)
        compute_from_soundtrack(library.features, library.blobs, library.limits, track.blob_name, parameters, error)
        store_track_features(library.features, audio_id, parameters)


def _removed(library: Library, blob: Blob, error: FeaturesMissing, outcome: str) -> str:
    library.features.remove(blob)
    return f"{error.subject}: {error.what}{_of_track(library, blob)}. {outcome}"


def _recorded(library: Library, sentences: Iterable[str]) -> list[str]:
    """Record the sentences of damaged files, and return them sorted. Those of intact files are empty."""
    damage = sorted(filter(None, sentences))
    for sentence in damage:
        library.repairs.record(sentence)
    return damage


def compute_from_soundtrack(
    features: FeatureStore,
    blobs: BlobStore,
    limits: AudioLimits,
    blob_name: str,
    parameters: FeaturesParameters,
    damage: FeaturesDamaged,
) -> None:
    """Compute and store the cepstra of a soundtrack again. Raises the damage if the soundtrack is not usable."""
    try:
        with blobs.as_file(SOUNDTRACKS, blob_name) as path:
            store_analysis(features, path, parameters.cepstra, limits, blob_name)
    except (AudioError, BlobNotFound, FileNotFoundError, PermissionError) as unusable:
        raise damage from unusable


def _of_track(library: Library, blob: Blob) -> str:
    audio_id = AudioId(PurePosixPath(blob.name).stem)
    track = library.catalogue.tracks_of_audio([audio_id]).get(audio_id)
    return "" if track is None else f" (those of {track.blob_name})"


def repair_sentence(damage: FeaturesDamaged) -> str:
    """Return a sentence for people on damaged features that are computed again."""
    return f"{damage.subject}: {damage.what}. They are computed again."


def record_repair(library: Library, sentence: str) -> None:
    """Tell of damaged features that are computed again, in the log and in the library's log of repairs."""
    _logger.warning("%s", sentence)
    library.repairs.record(sentence)


def _log_repair(library: Library, error: FeaturesDamaged) -> None:
    record_repair(library, repair_sentence(error))
