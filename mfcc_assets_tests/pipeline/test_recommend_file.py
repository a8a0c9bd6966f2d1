"""A new process recommends for a file, and wastes no time before the file is decoded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mfcc_assets.audio.tags import Tags
from mfcc_assets.errors import NoPublishedIndex, UnreadableAudio
from mfcc_assets.library import Library
from mfcc_assets.pipeline.file_answer import answer_file, features_of_file
from mfcc_assets.pipeline.opened_index import OpenedIndex, published_index
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets.settings import Settings

SLOW = {"av", "faiss", "numba", "pyarrow", "scipy", "sqlalchemy"}
"""Packages that take longer to import than a process that decodes takes to start."""

NOT_NEEDED = {
    "PIL",
    "alembic",
    "av",
    "dagster",
    "flask",
    "librosa",
    "matplotlib",
    "mutagen",
    "pandas",
    "pyarrow.compute",
    "scipy.ndimage",
    "sklearn",
    "soundfile",
    "soxr",
}
"""Packages that the answer to a file needs in the process that decodes, or not at all."""

PROGRAM = f"""
import sys
from mfcc_assets.audio import read_ahead

begin = read_ahead.ReadAhead.__init__

def begin_and_tell(self, *arguments):
    print("SLOW", *{SLOW!r} & sys.modules.keys(), file=sys.stderr)
    begin(self, *arguments)

read_ahead.ReadAhead.__init__ = begin_and_tell
from mfcc_assets.cli.main import main

try:
    main(["recommend", sys.argv[1]])
finally:
    print("NOT NEEDED", *{NOT_NEEDED!r} & sys.modules.keys(), file=sys.stderr)
"""


def test_a_file_is_decoded_before_anything_slow_is_imported_and_nothing_is_imported_in_vain(
    up_to_date_home: Path, query: Path
) -> None:
    environment = {**os.environ, "MFCC_HOME": str(up_to_date_home)}

    ended = subprocess.run([sys.executable, "-c", PROGRAM, query], env=environment, capture_output=True, text=True)

    assert ended.stdout.count("Song ") == 5, ended.stderr
    assert ended.stderr.splitlines() == ["SLOW", "NOT NEEDED"]


def test_the_answer_is_that_to_the_features_of_the_file(ten_tracks: Library, query: Path) -> None:
    opened = OpenedIndex(ten_tracks, published_index(ten_tracks))
    file = features_of_file(ten_tracks, query, opened.index.parameters.features)
    expected = answer_file(ten_tracks, opened, query, file, Tags(), count=3)

    assert recommend_file(ten_tracks, query, count=3) == expected


def test_a_file_is_analysed_as_the_index_was_if_the_settings_have_changed_since(
    ten_tracks: Library, query: Path
) -> None:
    changed = ten_tracks.settings.model_copy(update={"fft_size": 4096})
    with Library(changed) as library:
        assert recommend_file(library, query) == recommend_file(ten_tracks, query)


def test_the_number_of_tracks_is_that_of_the_settings_if_none_is_wanted(ten_tracks: Library, query: Path) -> None:
    assert len(recommend_file(ten_tracks, query).recommendations) == ten_tracks.settings.recommendations


def test_a_library_without_an_index_is_refused(tmp_path: Path, query: Path) -> None:
    with Library(Settings(home=tmp_path / "empty")) as library, pytest.raises(NoPublishedIndex):
        recommend_file(library, query)


def test_a_file_without_audio_is_refused(ten_tracks: Library, tmp_path: Path) -> None:
    path = tmp_path / "text.mp3"
    path.write_bytes(b"no music")

    with pytest.raises(UnreadableAudio, match=r"^text\.mp3: "):
        recommend_file(ten_tracks, path)
