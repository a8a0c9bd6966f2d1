"""The labelled set that several test modules use."""

from pathlib import Path

import pytest

from mfcc_assets.evaluation.labelled import LabelledSet
from mfcc_assets.evaluation.manifest import LabelledTrack
from mfcc_assets.library import Library
from mfcc_assets.pipeline.quality import labelled_set
from mfcc_assets_tests.audio_samples import write_music, write_tone


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with six pieces of music, and two files that cannot be used."""
    folder = tmp_path_factory.mktemp("audio")
    for number in range(6):
        write_music(folder / f"{number}.flac", 3.0, seed=number)
    write_tone(folder / "silence.flac", 3.0, amplitude=0.0)
    (folder / "broken.mp3").write_bytes(b"not music")
    return folder


@pytest.fixture
def labelled(library: Library, folder: Path) -> LabelledSet:
    """A set of six tracks by one artist."""
    return labelled_set(library, folder, [LabelledTrack(f"{number}.flac", "Bach") for number in range(6)])
