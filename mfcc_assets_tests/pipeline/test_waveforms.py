"""Every analysed audio has a stored waveform, also in libraries that were analysed before there were waveforms."""

from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.errors import FeaturesMissing
from mfcc_assets.library import Library
from mfcc_assets.pipeline.purge import purge_upload
from mfcc_assets.pipeline.remove_tracks import forget_audio, remove_files, tracks_to_remove
from mfcc_assets.pipeline.soundtracks import COMPUTED, UNCHANGED, WAITING
from mfcc_assets.pipeline.waveforms import store_missing_waveforms
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets_tests.audio_samples import write_music
from mfcc_assets_tests.damage import cut, damage, names
from mfcc_assets_tests.runs import Work, drop_upload, run_library, run_uploads

FOLDER = "waveforms/"


def contents(library: Library) -> dict[str, bytes]:
    return {name: library.blobs.read(CEPSTRA, name) for name in names(library, FOLDER)}


def test_the_run_that_analyses_a_track_stores_its_waveform(ten_tracks: Library) -> None:
    audio_ids = set(ten_tracks.catalogue.track_ids_by_audio())

    assert ten_tracks.features.audio_with_waveform() == audio_ids
    for audio_id in audio_ids:
        waveform = ten_tracks.features.read_waveform(audio_id)
        assert len(waveform.peaks) == pytest.approx(300, abs=10)
        assert waveform.peaks.max() == waveform.bands.max() == 255


def test_a_library_that_an_older_version_has_analysed_gets_the_same_waveforms(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    analysed = contents(ten_tracks)
    for name in list(analysed)[:7]:
        ten_tracks.blobs.delete(CEPSTRA, name)

    run = run_library(ten_tracks, instance)

    assert contents(ten_tracks) == analysed
    assert run.work == Work()
    assert run.total("soundtrack_waveforms", "computed") == 7
    assert run.total("soundtrack_waveforms", "unchanged") == 3


def test_the_lists_are_ready_before_the_waveforms_of_an_older_library_are(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    events = run_library(ten_tracks, instance).result.all_events
    steps = [event.step_key for event in events if event.is_step_start]

    assert steps.index("library_report") < steps.index("soundtrack_waveforms")


def test_only_the_waveforms_of_the_given_shards_are_computed(ten_tracks: Library) -> None:
    for name in names(ten_tracks, FOLDER):
        ten_tracks.blobs.delete(CEPSTRA, name)
    shard = ten_tracks.catalogue.soundtracks()[0].track_id[:1]
    of_shard = ten_tracks.catalogue.soundtracks([shard])

    outcomes = store_missing_waveforms(ten_tracks, [shard])

    assert outcomes == {track.blob_name: COMPUTED for track in of_shard}
    assert ten_tracks.features.audio_with_waveform() == {track.audio_id for track in of_shard}
    assert store_missing_waveforms(ten_tracks, [shard]) == dict.fromkeys(outcomes, UNCHANGED)


def test_the_next_run_names_a_damaged_waveform_and_computes_it_again(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    run_library(ten_tracks, instance)  # now all features are known to be intact
    intact = contents(ten_tracks)
    damaged = next(iter(intact))
    damage(ten_tracks, damaged, cut)

    run = run_library(ten_tracks, instance)

    assert f"cepstra/{damaged}: the stored features are damaged (those of " in run.figure("soundtrack_cepstra", "notes")
    assert run.total("soundtrack_waveforms", "computed") == 1
    assert run.work == Work()
    assert contents(ten_tracks) == intact


def test_a_file_that_is_gone_or_was_replaced_waits_for_a_later_run(ten_tracks: Library, tmp_path: Path) -> None:
    for name in names(ten_tracks, FOLDER):
        ten_tracks.blobs.delete(CEPSTRA, name)
    ten_tracks.blobs.delete("soundtracks", "song-0.flac")
    ten_tracks.blobs.upload_file("soundtracks", "song-1.flac", write_music(tmp_path / "new.flac", 3.0, seed=77))
    ten_tracks.blobs.write("soundtracks", "song-2.flac", b"not music")

    outcomes = store_missing_waveforms(ten_tracks, ten_tracks.shards)

    waiting = {"song-0.flac", "song-1.flac", "song-2.flac"}
    assert {name for name, outcome in outcomes.items() if outcome == WAITING} == waiting
    assert len(names(ten_tracks, FOLDER)) == 7


def test_cepstra_that_are_missing_are_an_error_that_says_what_to_do(ten_tracks: Library) -> None:
    for name in (*names(ten_tracks, FOLDER)[:1], *names(ten_tracks, "frames/")):
        ten_tracks.blobs.delete(CEPSTRA, name)

    with pytest.raises(FeaturesMissing, match="backfill"):
        store_missing_waveforms(ten_tracks, ten_tracks.shards)


def test_an_upload_has_a_waveform_until_it_is_purged(
    ten_tracks: Library, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    upload = drop_upload(ten_tracks, write_music(tmp_path / "upload.flac", 3.0, seed=78), "upload.flac")
    run_uploads(ten_tracks, instance, [upload])
    audio_id = ten_tracks.documents.get(upload).body["audio_id"]
    assert len(ten_tracks.features.read_waveform(audio_id).peaks) > 290

    purge_upload(ten_tracks, upload)

    assert not ten_tracks.features.has_waveform(audio_id)


def test_a_removed_track_takes_its_waveform_with_it(ten_tracks: Library, instance: dg.DagsterInstance) -> None:
    removal = tracks_to_remove(ten_tracks, ["song-0.flac"])
    remove_files(ten_tracks, removal)
    run_library(ten_tracks, instance)

    forget_audio(ten_tracks, removal)

    assert ten_tracks.features.audio_with_waveform() == set(ten_tracks.catalogue.track_ids_by_audio())
    assert len(names(ten_tracks, FOLDER)) == 9
