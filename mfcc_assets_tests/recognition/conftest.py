"""The query that several test modules recognise."""

import numpy as np
import pytest

from mfcc_assets.audio.tags import Tags
from mfcc_assets.ids import AudioId
from mfcc_assets.recognition.recogniser import RecognitionQuery
from mfcc_assets_tests.audio_samples import music, write_audio


@pytest.fixture(scope="session")
def query(tmp_path_factory: pytest.TempPathFactory) -> RecognitionQuery:
    """A listener's file without tags."""
    path = tmp_path_factory.mktemp("queries") / "Confidential name.mp3"
    write_audio(path, music(20, seed=1, sample_rate=22_050), sample_rate=22_050)
    return RecognitionQuery(path, Tags(), AudioId("none"), np.empty((0, 13), np.float32))
