"""What a watch sees between two looks."""

from pathlib import Path

from mfcc_assets.library import Library
from mfcc_assets.pipeline.library_events import LibraryWatch
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.purge import purge_upload
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks
from mfcc_assets.pipeline.upload_register import receive_files
from mfcc_assets_tests.audio_samples import retag
from mfcc_assets_tests.ranked_library import index_and_rank
from mfcc_assets_tests.runs import drop_upload
from mfcc_assets_tests.upload_steps import answer_uploads


def look(watch: LibraryWatch) -> list[tuple[str, str]]:
    return [(event.kind, event.text) for event in watch.events()]


def test_tracks_are_told_when_they_are_added_changed_rejected_removed_and_renamed(
    ten_tracks: Library, query: Path
) -> None:
    watch = LibraryWatch(ten_tracks)
    assert look(watch) == []

    ten_tracks.blobs.upload_file("soundtracks", "new.flac", query)
    ten_tracks.blobs.write("soundtracks", "broken.mp3", b"no music")
    observe_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")
    assert look(watch) == [], "a track is added when it is analysed"
    analyse_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")
    rejected, added = look(watch)
    assert added == ("added", "new")
    assert rejected[0] == "rejected"
    assert rejected[1].startswith("broken.mp3: no decoder can read the file")

    retag(ten_tracks.settings.blobs / "soundtracks" / "new.flac", title="A new name")
    ten_tracks.blobs.delete("soundtracks", "broken.mp3")
    observe_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")
    analyse_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")
    assert look(watch) == [("changed", "A new name"), ("removed", "broken")]

    soundtracks = ten_tracks.settings.blobs / "soundtracks"
    (soundtracks / "new.flac").rename(soundtracks / "newer.flac")
    observe_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")
    assert look(watch) == [("renamed", "new.flac is now newer.flac")]
    assert look(watch) == []


def test_uploads_are_told_when_they_are_received_answered_and_purged(
    ten_tracks: Library, query: Path, tmp_path: Path
) -> None:
    (tmp_path / "letter.mp3").write_bytes(b"Dear reader")
    watch = LibraryWatch(ten_tracks)
    upload, letter = (drop_upload(ten_tracks, path, path.name) for path in (query, tmp_path / "letter.mp3"))
    receive_files(ten_tracks, ten_tracks.blobs.list("uploads"))
    assert sorted(look(watch)) == [("received", "letter.mp3"), ("received", "query.flac")]

    answer_uploads(ten_tracks, [upload, letter])
    answered, failed = sorted(look(watch))
    assert answered[0] == "answered"
    assert answered[1].startswith("query.flac: Song ")
    assert answered[1].count("; ") == 4
    assert failed[1].startswith("letter.mp3: no decoder can read the file")

    purge_upload(ten_tracks, upload)
    assert look(watch) == [("purged", f"upload {upload}")]


def test_a_new_index_is_told_when_it_is_published(ten_tracks: Library) -> None:
    watch = LibraryWatch(ten_tracks)
    ten_tracks.blobs.delete("soundtracks", "song-3.flac")
    observe_soundtracks(ten_tracks, ten_tracks.shards, run_id="run")
    version = index_and_rank(ten_tracks)[0].version
    assert look(watch) == [("removed", "Song 3")]

    ten_tracks.indexes.publish(version)
    assert look(watch) == [("published", f"index {version} answers")]
