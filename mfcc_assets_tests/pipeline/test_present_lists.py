"""Lists without what has left the library."""

from mfcc_assets.library import Library
from mfcc_assets.pipeline.list_order import stored_lists
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, index_and_rank, named_lists, remove_track


def test_they_are_the_stored_lists_without_tracks_that_are_gone(library: Library) -> None:
    add_tracks(library, *range(9))
    index, _ = index_and_rank(library)
    recordings = recordings_of(library, index)
    stored = {query: [audio for audio, _ in found] for query, found in stored_lists(library, index.version)}
    assert named_lists(library, index.version, recordings) == stored

    remove_track(library, 3)

    assert named_lists(library, index.version, recordings) == {
        query: [audio for audio in found if audio != audio_id(3)]
        for query, found in stored.items()
        if query != audio_id(3)
    }


def test_lists_of_another_index_have_its_rows(library: Library) -> None:
    add_tracks(library, *range(9))
    former, _ = index_and_rank(library)
    add_tracks(library, 9, 10)
    index, _ = index_and_rank(library)
    lists = named_lists(library, former.version, recordings_of(library, index))
    assert lists == named_lists(library, former.version, recordings_of(library, former))
