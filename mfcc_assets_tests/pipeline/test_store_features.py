"""Features of one audio, computed from a file and stored under the audio id."""

from pathlib import Path

import numpy as np
import pytest

from mfcc_assets.audio.reader import read_audio_id
from mfcc_assets.errors import FeaturesMissing, UnreadableAudio
from mfcc_assets.features.track_features import track_features_of
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.store_features import note_on, store_analysis, store_track_features
from mfcc_assets_tests.audio_samples import write_music


def analyse(library: Library, path: Path) -> AudioId:
    """Store the analysis of a file and return its audio id. There is no remark on the file."""
    audio = store_analysis(
        library.features, path, library.feature_parameters.cepstra, library.limits, subject=path.name
    )
    assert note_on(audio) == ""
    return audio.audio_id


def test_an_analysis_is_stored_under_the_audio_id_of_the_file(library: Library, tmp_path: Path) -> None:
    path = write_music(tmp_path / "song.flac", seconds=2.0, seed=1)

    audio_id = analyse(library, path)

    assert audio_id == read_audio_id(path, library.limits, path.name)
    assert library.features.audio_with_cepstra(library.feature_parameters.cepstra) == {audio_id}


def test_track_features_are_computed_from_the_stored_analysis(library: Library, tmp_path: Path) -> None:
    audio_id, parameters = (
        analyse(library, write_music(tmp_path / "song.flac", 2.0, seed=1)),
        library.feature_parameters,
    )

    store_track_features(library.features, audio_id, parameters)

    stored = library.features.read_track_features(audio_id, parameters)
    computed = track_features_of(library.features.read_analysis(audio_id, parameters.cepstra), parameters)
    for name, value in vars(computed).items():
        np.testing.assert_array_equal(getattr(stored, name), value, err_msg=name)


def test_track_features_without_cepstra_are_refused(library: Library) -> None:
    with pytest.raises(FeaturesMissing):
        store_track_features(library.features, AudioId("0" * 32), library.feature_parameters)


def test_the_error_of_an_unusable_file_names_the_file_and_stores_nothing(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "letter.mp3"
    path.write_bytes(b"not music")

    with pytest.raises(UnreadableAudio, match=r"letter\.mp3"):
        analyse(library, path)
    assert library.features.audio_with_cepstra(library.feature_parameters.cepstra) == set()


def test_a_file_that_is_cut_off_gets_a_remark_with_both_lengths(library: Library, tmp_path: Path) -> None:
    # An MP3 loses whole frames at its end, and its header still declares the former length.
    whole = write_music(tmp_path / "whole.mp3", seconds=20.0, seed=1)
    half = tmp_path / "half.mp3"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])

    audio = store_analysis(library.features, half, library.feature_parameters.cepstra, library.limits, half.name)

    assert note_on(audio).startswith("cut off: ")
