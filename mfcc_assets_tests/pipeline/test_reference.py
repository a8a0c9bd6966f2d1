"""Comparisons of a library's own features with those of the published method."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mfcc_assets.errors import UnreadableAudio
from mfcc_assets.evaluation.published import FastdtwExcess
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.track_features import Analysis
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.find_track import find_track
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.reference import (
    LONGEST_SECONDS,
    TRACKS_DRAWN,
    ComparedTrack,
    PublishedPair,
    compare_as_published,
    compare_track,
    compare_with_published,
)
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets_tests.audio_samples import music, write_audio, write_music


def shift_stored_cepstra(library: Library, audio_id: AudioId, parameters: CepstraParameters, *, by: float) -> None:
    """Damage what is stored for an audio: add a number to one of its cepstra."""
    analysis = library.features.read_analysis(audio_id, parameters)
    shifted = analysis.cepstra.copy()
    shifted[50, 5] += by
    library.blobs.delete(CEPSTRA, f"frames/features_version={parameters.version}/{audio_id}.parquet")
    library.features.write_analysis(audio_id, Analysis(shifted, analysis.timbre), parameters)


def add_songs(library: Library, *songs: Path, run_id: str) -> None:
    """Add files to a library and analyse them in a run of this id."""
    for song in songs:
        library.blobs.upload_file("soundtracks", song.name, song)
    observe_soundtracks(library, library.shards, run_id=run_id)
    analyse_soundtracks(library, library.shards, run_id=run_id)


def test_a_few_tracks_of_the_library_have_the_published_cepstra(ten_tracks: Library) -> None:
    report = compare_with_published(ten_tracks, run_id="a run that observed nothing")
    assert report.matches
    assert len(report.tracks) == TRACKS_DRAWN
    assert all(0 < track.largest_difference <= 1e-3 for track in report.tracks)
    assert report.skipped == {}
    assert report.picture is not None
    assert report.pair is not None
    assert (report.pair.a, report.pair.b) == tuple(track.name for track in report.tracks[:2])
    assert report.pair.excess.percent > 0


def test_a_run_id_always_draws_the_same_tracks(ten_tracks: Library) -> None:
    def drawn(run_id: str) -> tuple[list[str], int]:
        report = compare_with_published(ten_tracks, run_id=run_id)
        assert report.pair is not None
        return [track.name for track in report.tracks], report.pair.coefficient

    assert drawn("one") == drawn("one")
    assert len({str(drawn(f"run {number}")) for number in range(4)}) > 1


def test_the_tracks_that_a_run_has_observed_are_drawn(library: Library, ten_songs: list[Path]) -> None:
    add_songs(library, *ten_songs[:3], run_id="first")
    add_songs(library, ten_songs[3], run_id="second")
    (track,) = compare_with_published(library, run_id="second").tracks
    assert track.name == ten_songs[3].name


def test_a_single_track_has_no_pair(library: Library, ten_songs: list[Path]) -> None:
    add_songs(library, ten_songs[0], run_id="run")
    report = compare_with_published(library, run_id="run")
    assert report.matches
    assert report.pair is None


def test_an_empty_library_matches(library: Library) -> None:
    report = compare_with_published(library, run_id="run")
    assert report.matches
    assert (report.tracks, report.skipped, report.pair, report.picture) == ([], {}, None, None)


def test_a_track_that_is_too_long_is_not_drawn(library: Library, ten_songs: list[Path]) -> None:
    add_songs(library, ten_songs[0], run_id="run")
    (track,) = library.catalogue.soundtracks()
    content = library.catalogue.contents([track.content_digest])[track.content_digest]
    drawn = []
    for seconds in (LONGEST_SECONDS, LONGEST_SECONDS + 1):
        library.catalogue.record_content(replace(content, seconds=seconds), track_id=track.track_id)
        drawn.append(len(compare_with_published(library, run_id="run").tracks))
    assert drawn == [1, 0]


def test_a_track_that_librosa_cannot_read_is_skipped_and_named(
    library: Library, ten_songs: list[Path], tmp_path: Path
) -> None:
    opus = write_music(tmp_path / "song.opus", 2.0, seed=1, sample_rate=48_000)
    add_songs(library, opus, ten_songs[0], run_id="run")
    report = compare_with_published(library, run_id="run")
    assert [track.name for track in report.tracks] == [ten_songs[0].name]
    assert report.skipped == {"song.opus": "song.opus: librosa decodes Opus differently."}


def test_a_track_whose_file_is_gone_is_skipped_and_named(library: Library, ten_songs: list[Path]) -> None:
    add_songs(library, ten_songs[0], run_id="run")
    library.blobs.delete("soundtracks", ten_songs[0].name)
    report = compare_with_published(library, run_id="run")
    assert report.tracks == []
    assert list(report.skipped) == [ten_songs[0].name]


def test_a_stored_number_that_is_wrong_by_a_hundredth_is_found(library: Library, ten_songs: list[Path]) -> None:
    add_songs(library, ten_songs[0], run_id="run")
    (audio_id,) = library.catalogue.track_ids_by_audio()
    shift_stored_cepstra(library, audio_id, library.feature_parameters.cepstra, by=-0.01)
    report = compare_with_published(library, run_id="run")
    assert not report.matches
    assert report.tracks[0].largest_difference == pytest.approx(0.01, abs=1e-3)


def test_a_pair_is_compared_as_published(ten_tracks: Library) -> None:
    parameters = ten_tracks.feature_parameters.cepstra
    a, b = find_track(ten_tracks, "Song 1"), find_track(ten_tracks, "Song 2")
    pair = compare_as_published(ten_tracks, a, b, parameters)
    assert pair.a.matches
    assert pair.b.matches
    assert pair.excess.fastdtw > pair.excess.exact > 0
    assert json.loads(json.dumps(pair.record()))["a"]["frames"] == 297


def test_an_infinite_difference_is_null_in_json() -> None:
    track = ComparedTrack("song.flac", 3, float("inf"), np.zeros((9, 13)))
    record = PublishedPair(track, track, FastdtwExcess(3.0, 2.0)).record()
    assert record == {
        "a": {"frames": 3, "largest_difference": None},
        "b": {"frames": 3, "largest_difference": None},
        "distance": {"fastdtw": 3.0, "exact": 2.0, "excess_percent": 50.0},
    }


def test_a_file_that_librosa_cannot_read_is_named_in_the_error(library: Library, tmp_path: Path) -> None:
    opus = write_music(tmp_path / "song.opus", 2.0, seed=1, sample_rate=48_000)
    add_songs(library, opus, run_id="run")
    with pytest.raises(UnreadableAudio, match=r"song\.opus: librosa"):
        compare_track(library, find_track(library, "song.opus"), library.feature_parameters.cepstra)


def test_files_that_librosa_reads_differently_fail_no_comparison(library: Library, tmp_path: Path) -> None:
    """Channels that cancel each other out are mixed as we mix them. Of several streams librosa reads the first one."""
    left = music(3, seed=1)
    cancelling = write_audio(tmp_path / "cancelling.flac", np.column_stack([left, -left]))
    links = [write_music(tmp_path / f"{seed}.ogg", 3, seed=seed).read_bytes() for seed in (2, 3)]
    chained = tmp_path / "chained.ogg"
    chained.write_bytes(b"".join(links))
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(b"".join(write_music(tmp_path / f"{seed}.mp3", 3, seed=seed).read_bytes() for seed in (4, 5)))
    add_songs(library, cancelling, chained, joined, run_id="run")
    report = compare_with_published(library, run_id="run")
    assert report.matches
    assert [track.name for track in report.tracks] == ["cancelling.flac"]
    assert set(report.skipped) <= {"chained.ogg", "joined.mp3"}
