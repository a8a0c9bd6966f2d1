"""Changes of a library: files that come, change and go. A run computes and writes only what a change requires."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.ids import shard_of, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets.settings import Settings
from mfcc_assets.storage.ranking_store import STAGES, Stage
from mfcc_assets_tests.audio_samples import retag, write_audio, write_music
from mfcc_assets_tests.runs import Work, assert_recommendations_hold, checks_that_stop_a_run, run_library

NOTHING = Work()


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Write a file that is not one of the ten songs."""
    return write_music(tmp_path / "other.flac", 3.0, seed=100)


def lists_that_name(library: Library, name: str) -> int:
    """Return the number of soundtracks whose recommendations name this one. Their lists change with it."""
    catalogue, recommendations = library.catalogue, library.recommendations
    return sum(
        name in {row.blob_name for row in recommendations.recommended(track.track_id)}
        for track in catalogue.soundtracks()
    )


def lists(library: Library) -> dict[str, list[tuple[str, float]]]:
    """Return the names and distances of the recommendations of each soundtrack, by track id."""
    catalogue, recommendations = library.catalogue, library.recommendations
    return {
        track.track_id: [(row.blob_name, row.distance) for row in recommendations.recommended(track.track_id)]
        for track in catalogue.soundtracks()
    }


def assert_only_changes_are_compared(library: Library, former: str | None, pairs: int) -> None:
    """Assert that new audio was compared with all its candidates, and other audio only with its new candidates.

    A list that named deleted audio must have been computed from the beginning. Stored lists are no longer than the
    shown ones, so no spare track can fill the gap.
    """
    audio = library.catalogue.track_ids_by_audio().keys()
    compared, ranked = (pairs_by_query(library, stage, former) for stage in STAGES)
    expected = 0
    for query, candidates in pairs_by_query(library, "candidates", library.indexes.published_version()).items():
        is_list_whole = query in ranked and ranked[query] <= audio
        expected += len(candidates - compared[query] if is_list_whole else candidates)
    assert pairs == expected
    assert len(audio) == 1 or 0 < pairs <= len(audio) * (len(audio) - 1)


def pairs_by_query(library: Library, stage: Stage, version: str | None) -> dict[str, set[str]]:
    """Return the candidates or the ranking of every audio in an index; nothing if there is no such index."""
    pairs = [library.rankings.read(stage, version, shard) for shard in library.shards] if version else []
    return {query: {audio for audio, _ in found} for one in pairs if one for query, found in one.by_query().items()}


def test_ten_new_tracks_are_analysed_and_compared_with_their_candidates(library, instance, ten_songs) -> None:
    for song in ten_songs:
        library.blobs.upload_file("soundtracks", song.name, song)
    work = run_library(library, instance).work
    assert replace(work, pairs=0) == Work(
        cepstra=10, track_features=10, added=10, index_written=True, candidates=90, rows=50
    )
    assert_only_changes_are_compared(library, None, work.pairs)
    assert [track.state for track in library.catalogue.soundtracks()] == ["analysed"] * 10
    assert_recommendations_hold(library)
    assert outstanding_work(library) == []


def test_a_run_over_an_unchanged_library_computes_and_writes_nothing(ten_tracks, instance) -> None:
    former = [ten_tracks.recommendations.recommended(track.track_id) for track in ten_tracks.catalogue.soundtracks()]
    run = run_library(ten_tracks, instance)
    assert run.work == NOTHING
    assert run.total("raw_soundtracks", "unchanged") == 10
    assert [
        ten_tracks.recommendations.recommended(track.track_id) for track in ten_tracks.catalogue.soundtracks()
    ] == former


def test_changed_tags_need_no_computation_and_show_the_new_title(ten_tracks, instance, ten_songs, tmp_path) -> None:
    song = tmp_path / ten_songs[3].name
    song.write_bytes(ten_songs[3].read_bytes())
    retag(song, title="Another title")
    ten_tracks.blobs.upload_file("soundtracks", song.name, song)
    assert run_library(ten_tracks, instance).work == NOTHING
    titles = {
        row.title
        for track in ten_tracks.catalogue.soundtracks()
        for row in ten_tracks.recommendations.recommended(track.track_id)
    }
    assert "Another title" in titles
    assert "Song 3" not in titles
    assert outstanding_work(ten_tracks) == []


def test_only_replaced_audio_is_analysed_and_compared(ten_tracks, instance, music) -> None:
    former, version, before = (
        ten_tracks.catalogue.track_ids_by_audio(),
        ten_tracks.indexes.published_version(),
        lists(ten_tracks),
    )
    ten_tracks.blobs.upload_file("soundtracks", "song-3.flac", music)
    work = run_library(ten_tracks, instance).work
    rows = 5 * sum(found != before[track] for track, found in lists(ten_tracks).items())
    assert replace(work, candidates=0, pairs=0) == Work(
        cepstra=1, track_features=1, added=1, removed=1, index_written=True, rows=rows
    )
    assert rows >= 5 * (1 + lists_that_name(ten_tracks, "song-3.flac"))
    assert_only_changes_are_compared(ten_tracks, version, work.pairs)
    assert len(former.keys() & ten_tracks.catalogue.track_ids_by_audio().keys()) == 9
    assert_recommendations_hold(ten_tracks)


def test_a_renamed_track_keeps_its_id_and_all_that_was_computed(ten_tracks, instance) -> None:
    former, version = lists(ten_tracks), ten_tracks.indexes.published_version()
    ten_tracks.blobs.copy("soundtracks", "song-3.flac", "soundtracks", "renamed.flac")
    ten_tracks.blobs.delete("soundtracks", "song-3.flac")
    run = run_library(ten_tracks, instance)
    assert run.work == NOTHING
    assert run.total("raw_soundtracks", "renamed") == 1
    assert ten_tracks.catalogue.track_ids()["renamed.flac"] == track_id("song-3.flac")
    assert ten_tracks.indexes.published_version() == version
    renamed = {track: [(name.replace("song-3", "renamed"), d) for name, d in found] for track, found in former.items()}
    assert lists(ten_tracks) == renamed
    assert_recommendations_hold(ten_tracks)
    assert outstanding_work(ten_tracks) == []


def test_a_deleted_track_is_removed_everywhere_and_lists_that_named_it_are_computed_again(ten_tracks, instance) -> None:
    version = ten_tracks.indexes.published_version()
    rows = 5 * lists_that_name(ten_tracks, "song-3.flac")
    ten_tracks.blobs.delete("soundtracks", "song-3.flac")
    work = run_library(ten_tracks, instance).work
    assert replace(work, candidates=0, pairs=0, rows=0) == Work(removed=1, index_written=True)
    assert work.rows >= rows, "lists also change through neighbours of neighbours"
    assert_only_changes_are_compared(ten_tracks, version, work.pairs)
    assert track_id("song-3.flac") not in {track.track_id for track in ten_tracks.catalogue.soundtracks()}
    assert ten_tracks.recommendations.recommended(track_id("song-3.flac")) == []
    assert not [blob for blob in ten_tracks.blobs.list("artworks") if blob.name.startswith(track_id("song-3.flac"))]
    assert_recommendations_hold(ten_tracks)


@pytest.mark.parametrize("name", ["a copy.flac", "the copy.flac"])
def test_the_same_audio_under_two_names_is_analysed_once_and_recommended_once(
    ten_tracks, instance, ten_songs, name: str
) -> None:
    ten_tracks.blobs.upload_file("soundtracks", name, ten_songs[3])
    run = run_library(ten_tracks, instance)
    assert (run.work.cepstra, run.work.track_features, run.work.added) == (0, 0, 0)
    # If the copy represents the audio from now on, the list is found again in the shard of the copy.
    assert run.work.pairs in (0, len(ten_songs) - 1)
    assert run.total("soundtrack_cepstra", "reused") == 1
    copied, original = (ten_tracks.recommendations.recommended(track_id(copy)) for copy in (name, "song-3.flac"))
    assert [row.track_id for row in copied] == [row.track_id for row in original]
    assert_recommendations_hold(ten_tracks)


def test_a_copy_that_becomes_a_copy_of_another_song_gets_the_recommendations_of_that_song(
    ten_tracks, instance, ten_songs
) -> None:
    for number in (3, 5):
        ten_tracks.blobs.upload_file("soundtracks", "zz.flac", ten_songs[number])
        assert run_library(ten_tracks, instance).work.rows == 5
        copied, original = (
            ten_tracks.recommendations.recommended(track_id(name)) for name in ("zz.flac", f"song-{number}.flac")
        )
        assert [row.track_id for row in copied] == [row.track_id for row in original]


def test_the_same_samples_in_another_container_are_the_same_audio(ten_tracks, instance, ten_songs, tmp_path) -> None:
    import soundfile

    samples, rate = soundfile.read(ten_songs[3], dtype="int16")
    ten_tracks.blobs.upload_file("soundtracks", "song-3.wav", write_audio(tmp_path / "same.wav", samples, rate))
    run = run_library(ten_tracks, instance)
    # The bytes are new, so the file is decoded. Then its audio turns out to be known.
    assert run.work == Work(cepstra=1, rows=5)
    assert_recommendations_hold(ten_tracks)


def test_the_first_and_the_last_track_of_a_library_are_indexed_without_neighbours(library, instance, music) -> None:
    library.blobs.upload_file("soundtracks", "only.flac", music)
    assert run_library(library, instance).work == Work(cepstra=1, track_features=1, added=1, index_written=True)
    library.blobs.delete("soundtracks", "only.flac")
    assert run_library(library, instance).work == Work(removed=1, index_written=True)
    assert library.catalogue.soundtracks() == []
    assert outstanding_work(library) == []


def test_all_features_are_computed_for_changed_parameters_while_the_old_index_answers(
    ten_tracks, instance, music, settings: Settings
) -> None:
    published = ten_tracks.indexes.published_version()
    changed = Library(Settings(home=settings.home, settle_seconds=0, fft_size=4096))
    with changed:
        backfill = run_library(changed, instance, job_name="features")
        assert backfill.total("soundtrack_cepstra", "computed") == 10
        assert backfill.total("soundtrack_summaries", "computed") == 10
        assert recommend_file(changed, music, count=5).index_version == published
        message = f"index {published} was built with other parameters than those of the settings"
        assert outstanding_work(changed) == [message]

        work = run_library(changed, instance).work
        assert replace(work, pairs=0) == Work(added=10, index_written=True, candidates=90, rows=50)
        assert_only_changes_are_compared(changed, None, work.pairs)
        answer = recommend_file(changed, music, count=5)
        assert answer.index_version == changed.indexes.published_version() != published
        assert len(answer.recommendations) == 5
        assert outstanding_work(changed) == []


@pytest.fixture
def three_artists(library: Library, instance: dg.DagsterInstance, tmp_path: Path) -> Library:
    """Make a library of nine tracks, three by each of three artists whose music is easy to distinguish."""
    for number in range(9):
        song = write_music(tmp_path / f"{number}.flac", 2.0 + number % 3, seed=50 + number // 3)
        retag(song, artist=f"Artist {number // 3}")
        library.blobs.upload_file("soundtracks", song.name, song)
    run_library(library, instance)
    return library


def test_an_index_of_worse_quality_is_not_published_and_the_previous_one_answers(
    three_artists, instance, music, settings: Settings
) -> None:
    published = three_artists.indexes.published_version()
    rows = {
        track.track_id: three_artists.recommendations.recommended(track.track_id)
        for track in three_artists.catalogue.soundtracks()
    }

    # A spectrum of two points describes a frame very badly.
    with Library(Settings(home=settings.home, settle_seconds=0, fft_size=2)) as worse:
        assert checks_that_stop_a_run(worse, instance) == ["quality_holds"]
        assert worse.indexes.built_version() != worse.indexes.published_version() == published
        assert {track: worse.recommendations.recommended(track) for track in rows} == rows
        assert recommend_file(worse, music, count=5).index_version == published


def test_music_by_other_artists_and_changed_tags_do_not_make_an_index_worse(
    three_artists, instance, ten_songs, tmp_path
) -> None:
    published = three_artists.indexes.published_version()
    for number, song in enumerate([*ten_songs[:8], tmp_path / "0.flac"]):
        other = tmp_path / song.name
        other.write_bytes(song.read_bytes())
        retag(other, artist=f"Anybody {number % 3}")
        three_artists.blobs.upload_file("soundtracks", other.name, other)
    run = run_library(three_artists, instance)
    # The precision over all tracks is lower. If it were compared, no index would be published any more.
    former = three_artists.indexes.read_quality(published)["at_5"]
    assert run.figure("recommendation_quality", "precision_at_5") < former - three_artists.settings.quality_margin
    assert len(three_artists.indexes.published().tracks) == 17


def test_shards_are_analysed_in_any_order_and_then_published_together(library, instance, ten_songs) -> None:
    for song in ten_songs:
        library.blobs.upload_file("soundtracks", song.name, song)
    later = [song for song in ten_songs if shard_of(track_id(song.name), 1) >= "8"]
    first = run_library(library, instance, job_name="features", shards=("8", "f"))
    assert 0 < first.total("soundtrack_cepstra", "computed") == len(later) < 10
    second = run_library(library, instance, job_name="features", shards=("0", "7"))
    assert second.total("soundtrack_cepstra", "computed") == 10 - len(later)
    work = run_library(library, instance).work
    assert replace(work, pairs=0) == Work(added=10, index_written=True, candidates=90, rows=50)
    assert_only_changes_are_compared(library, None, work.pairs)
    assert_recommendations_hold(library)


def test_an_index_with_rankings_of_only_some_shards_is_not_published(ten_tracks, instance, music) -> None:
    published = ten_tracks.indexes.published_version()
    ten_tracks.blobs.upload_file("soundtracks", "other.flac", music)
    shard = shard_of(track_id("other.flac"), 1)
    assert checks_that_stop_a_run(ten_tracks, instance, shards=(shard, shard)) == ["rankings_are_complete"]
    assert ten_tracks.indexes.published_version() == published
    before = lists(ten_tracks)
    work = run_library(ten_tracks, instance).work
    changed = [track for track, listed in lists(ten_tracks).items() if listed != before.get(track)]
    assert (work.cepstra, work.index_written, work.rows) == (0, False, 5 * len(changed))
    assert_recommendations_hold(ten_tracks)
