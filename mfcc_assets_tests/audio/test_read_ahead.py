"""A file is read ahead of those who use its signal."""

import threading
from pathlib import Path

import numpy as np
import pytest

from mfcc_assets.audio.read_ahead import ReadAhead
from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.errors import UnreadableAudio
from mfcc_assets_tests.audio_samples import write_music


def reader(path: Path, block_samples: int = 2**12) -> AudioReader:
    return AudioReader(path, 44_100, 500, block_samples=block_samples)


@pytest.mark.parametrize("most_blocks", [1, 3, 1_000])
def test_the_blocks_and_the_facts_are_those_of_the_reader(tmp_path: Path, most_blocks: int) -> None:
    path = write_music(tmp_path / "song.flac", 3.0, seed=1)
    alone = reader(path)
    expected = np.concatenate(list(alone.blocks()))

    with ReadAhead(reader(path), most_blocks) as ahead:
        found = np.concatenate(list(ahead.blocks()))

    np.testing.assert_array_equal(found, expected)
    assert ahead.audio == alone.audio


def test_the_file_is_read_before_anybody_asks_for_a_block(tmp_path: Path) -> None:
    path = write_music(tmp_path / "song.flac", 3.0, seed=1)
    with ReadAhead(reader(path)) as ahead:
        ahead.wait()
        path.unlink()

        assert sum(map(len, ahead.blocks())) > 2 * 44_100


def test_an_error_comes_behind_the_blocks_before_it(tmp_path: Path) -> None:
    path = tmp_path / "text.mp3"
    path.write_bytes(b"no music")
    with ReadAhead(reader(path)) as ahead:
        ahead.wait()
        with pytest.raises(UnreadableAudio, match=r"^text\.mp3: "):
            next(ahead.blocks())


def test_who_waits_for_a_block_is_told_that_the_reading_was_given_up(tmp_path: Path) -> None:
    path = write_music(tmp_path / "song.flac", 3.0, seed=1)
    threads = set(threading.enumerate())
    ahead = ReadAhead(reader(path), most_blocks=1)
    blocks = ahead.blocks()
    next(blocks)

    ahead.close()

    with pytest.raises(RuntimeError, match="given up"):
        list(blocks)
    for thread in {*threading.enumerate()} - threads:
        thread.join(timeout=10)
        assert not thread.is_alive()
