"""Compute the features of one audio and store them under its audio id, for soundtracks and uploads alike."""

import textwrap
from pathlib import Path

from mfcc_assets.audio.reader import Audio, AudioLimits
from mfcc_assets.features.file_analysis import analyse_file, waveform_of_file
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.track_features import track_features_of
from mfcc_assets.ids import AudioId
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets.storage.sql.schema import LONGEST_NOTE


def store_analysis(
    features: FeatureStore, path: Path, parameters: CepstraParameters, limits: AudioLimits, subject: str
) -> Audio:
    """Compute and store the cepstra, the timbre and the waveform of one file.

    Parameters
    ----------
    features
        Store that keeps the analysis.
    path
        The file.
    parameters
        Definition of the cepstra.
    limits
        Limits of the audio that is accepted.
    subject
        Name of the file in errors.

    Raises
    ------
    AudioError
        If the audio cannot be used.
    """
    file = analyse_file(path, parameters, limits, subject)
    features.write_waveform(file.audio.audio_id, file.waveform)
    features.write_analysis(file.audio.audio_id, file.analysis, parameters)
    return file.audio


def store_waveform(
    features: FeatureStore,
    audio_id: AudioId,
    path: Path,
    parameters: CepstraParameters,
    limits: AudioLimits,
    subject: str,
) -> bool:
    """Compute and store the waveform of an audio whose cepstra are stored.

    Parameters
    ----------
    features
        Store that has the cepstra, and keeps the waveform.
    audio_id
        The audio.
    path
        A file that has this audio.
    parameters, limits, subject
        As for `store_analysis`.

    Returns
    -------
    bool
        False if the file has other audio, because somebody has replaced it. Nothing is stored then.

    Raises
    ------
    AudioError
        If the audio cannot be used.
    FeaturesMissing
        If the cepstra are not stored, or are damaged.
    """
    cepstra = features.read_cepstra(audio_id, parameters)
    audio, waveform = waveform_of_file(path, cepstra, parameters, limits, subject)
    if audio.audio_id != audio_id:
        return False
    features.write_waveform(audio_id, waveform)
    return True


def store_track_features(features: FeatureStore, audio_id: AudioId, parameters: FeaturesParameters) -> None:
    """Compute and store the track features of an audio whose cepstra are stored.

    Raises
    ------
    FeaturesMissing
        If the cepstra are not stored, or are damaged.
    """
    analysis = features.read_analysis(audio_id, parameters.cepstra)
    features.write_track_features(audio_id, track_features_of(analysis, parameters), parameters)


def note_on(audio: Audio) -> str:
    """Return a note on audio that is used although something is wrong with its file; empty if nothing is."""
    notes = list(audio.remarks)
    if audio.truncated:
        notes.insert(0, f"cut off: {audio.seconds:.1f} s of {audio.declared_seconds:.1f} s could be decoded")
    return textwrap.shorten("; ".join(notes), LONGEST_NOTE, placeholder=" …")
