"""The features of the soundtracks."""

from pathlib import Path

import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline import soundtracks
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks
from mfcc_assets_tests.audio_samples import write_music


def test_the_largest_files_are_analysed_first(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("a", 2), ("b", 4), ("c", 3)):
        path = write_music(tmp_path / f"{name}.wav", seconds=seconds, seed=seconds)
        library.blobs.upload_file("soundtracks", path.name, path)
    observe_soundtracks(library, library.shards, run_id="run")
    # On one core the results come in the order of the work.
    monkeypatch.setattr(soundtracks, "on_all_cores", lambda work, items: ((item, work(item)) for item in items))
    report = analyse_soundtracks(library, library.shards, run_id="run")
    assert list(report.computed.values()) == ["b.wav", "c.wav", "a.wav"]
