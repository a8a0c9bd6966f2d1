"""Store the waveforms of soundtracks that were analysed before waveforms were."""

import logging
from collections.abc import Sequence

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import AudioError, BlobNotFound
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.progress import Report, Tally, unseen
from mfcc_assets.pipeline.soundtracks import COMPUTED, UNCHANGED, WAITING
from mfcc_assets.pipeline.store_features import store_waveform
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.port import SOUNDTRACKS
from mfcc_assets.storage.sql.records import Soundtrack

_logger = logging.getLogger(__name__)


def store_missing_waveforms(
    library: Library, shards: Sequence[str], *, run_id: str = "", report_progress: Report = unseen
) -> dict[str, str]:
    """Compute and store the waveform of every analysed audio in these shards that has none yet.

    The analysis of a file stores its waveform. So there is work only for what an older version of this program
    analysed, and for damaged waveforms that `mfcc_assets.pipeline.feature_repair` has removed. Each of these files is
    decoded once.

    Parameters
    ----------
    library
        The library.
    shards
        Shards whose soundtracks get waveforms.
    run_id
        Id of the run, whose steps share one listing of what is stored.
    report_progress
        Function that shows the progress.

    Returns
    -------
    dict
        Outcome of each file: ``computed``; ``unchanged`` if the waveform was stored; ``waiting`` if the file is away or
        has changed, so that a later run computes it. If several files have the same audio, only the first is listed.

    Raises
    ------
    FeaturesMissing
        If cepstra of these parameters are missing. The error says what to backfill.
    """
    present = library.features.audio_with_waveform(run_id)
    soundtracks = {track.audio_id: track for track in reversed(library.catalogue.soundtracks(shards)) if track.audio_id}
    missing = [audio_id for audio_id in soundtracks if audio_id not in present]
    outcomes = {track.blob_name: UNCHANGED for audio_id, track in soundtracks.items() if audio_id in present}
    if not missing:
        return outcomes
    tally = Tally(report_progress, "Computing waveforms", len(missing))

    def stored(audio_id: AudioId) -> bool:
        return _store(library, audio_id, soundtracks[audio_id])

    for audio_id, is_stored in on_all_cores(stored, missing):
        name = soundtracks[audio_id].blob_name
        outcomes[name] = COMPUTED if is_stored else WAITING
        tally.end(name)
    return outcomes


def _store(library: Library, audio_id: AudioId, track: Soundtrack) -> bool:
    cepstra, name = library.feature_parameters.cepstra, shown_name(track.blob_name)
    try:
        with library.blobs.as_file(SOUNDTRACKS, track.blob_name) as path:
            return store_waveform(library.features, audio_id, path, cepstra, library.limits, name)
    except (AudioError, BlobNotFound, FileNotFoundError, PermissionError) as error:
        _logger.warning("The waveform of %s waits for a later run: %s", name, error)
        return False
