"""The rows of RECOMMENDATIONS that an index gives."""

from mfcc_assets.ids import track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_order import stored_lists
from mfcc_assets.pipeline.recommendations import recommend_soundtracks
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, publish

TRACKS = 12


def test_the_rows_of_a_soundtrack_are_the_first_of_its_list(library: Library) -> None:
    add_tracks(library, *range(TRACKS))
    index, _ = publish(library)
    written = dict(recommend_soundtracks(library, index, library.shards, run_id="run"))

    assert sum(report.written for report in written.values()) == 5 * TRACKS
    in_order = dict(stored_lists(library, index.version))
    for number in range(TRACKS):
        rows = library.recommendations.recommended(track_id(f"{number}.flac"))
        expected = [index.tracks[audio] for audio, _ in in_order[audio_id(number)][:5]]
        assert [row.track_id for row in rows] == expected


def test_rows_that_are_right_are_not_written_again(library: Library) -> None:
    add_tracks(library, *range(TRACKS))
    index, _ = publish(library)
    for expected in (5 * TRACKS, 0):
        reports = dict(recommend_soundtracks(library, index, library.shards, run_id="run")).values()
        assert sum(report.written for report in reports) == expected
        assert sum(report.queries for report in reports) == TRACKS
