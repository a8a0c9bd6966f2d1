"""The index of a library, built from the stored features."""

import pytest

from mfcc_assets.errors import UnknownRanking
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index, index_parameters
from mfcc_assets.settings import Settings
from mfcc_assets_tests.damage import damage, empty, index_part
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, publish, remove_track


def test_an_index_has_all_tracks_with_features(library: Library) -> None:
    add_tracks(library, *range(8))

    built = build_index(library)

    assert set(built.index.tracks) == {audio_id(number) for number in range(8)}
    assert (built.added, built.removed, built.written) == (8, 0, True)
    assert library.indexes.built_version() == built.index.version


def test_a_track_whose_features_are_missing_is_left_out(library: Library) -> None:
    add_tracks(library, *range(8))
    library.features.delete(audio_id(3), library.feature_parameters)

    assert set(build_index(library).index.tracks) == {audio_id(number) for number in range(8) if number != 3}


def test_an_unchanged_library_keeps_its_published_index(library: Library) -> None:
    add_tracks(library, *range(8))
    published, _ = publish(library)

    built = build_index(library)

    assert built.index.version == published.version
    assert (built.added, built.removed, built.written) == (0, 0, False)


def test_added_and_removed_tracks_are_counted(library: Library) -> None:
    add_tracks(library, *range(8))
    publish(library)
    add_tracks(library, 8, 9)
    remove_track(library, 0)

    built = build_index(library)

    assert (built.added, built.removed, built.written) == (2, 1, True)


def test_a_stored_index_that_is_damaged_is_written_again(library: Library) -> None:
    add_tracks(library, *range(8))
    version = build_index(library).index.version
    damage(library, index_part(library, version, "audio_ids.npy"), empty)

    assert build_index(library).written
    assert library.indexes.read(version).load_all().version == version


def test_an_unknown_ranking_is_refused(settings: Settings) -> None:
    with Library(settings.model_copy(update={"ranking": "loudest"})) as library, pytest.raises(UnknownRanking):
        index_parameters(library)
