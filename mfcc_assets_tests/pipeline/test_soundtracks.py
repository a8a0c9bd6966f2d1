from mfcc_assets.pipeline import soundtracks as analysing
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks, observe_soundtracks
from mfcc_assets_tests.audio_samples import write_music


def test_the_largest_files_are_analysed_first(library, tmp_path, monkeypatch):
    for name, seconds in (("a", 2), ("b", 4), ("c", 3)):
        path = write_music(tmp_path / f"{name}.wav", seconds=seconds, seed=seconds)
        library.blobs.upload_file("soundtracks", path.name, path)
    observe_soundtracks(library, library.shards, run_id="run")
    # One core, so that their order can be told from that of the results.
    monkeypatch.setattr(analysing, "on_all_cores", lambda work, items: ((item, work(item)) for item in items))
    report = analyse_soundtracks(library, library.shards, run_id="run")
    assert list(report.computed.values()) == ["b.wav", "c.wav", "a.wav"]
