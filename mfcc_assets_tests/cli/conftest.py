"""A library that commands work on, and a query for it."""

from pathlib import Path

import pytest

from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.runs import copied_home


@pytest.fixture
def home(up_to_date_home: Path, tmp_path: Path) -> Path:
    """Home of a library of ten songs."""
    return copied_home(up_to_date_home, tmp_path / "home")


@pytest.fixture
def query(tmp_path: Path) -> Path:
    return write_music(tmp_path / "query.flac", 3.0, seed=99)
