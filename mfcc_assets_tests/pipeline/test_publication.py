"""Publication of index versions, and rollbacks."""

import re
from collections.abc import Iterable

import pytest

from mfcc_assets.audio.tags import Tags
from mfcc_assets.errors import NoPublishedIndex, PublicationRefused, SettingsError
from mfcc_assets.ids import AudioId, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.library_health import examine_index
from mfcc_assets.pipeline.library_status import status_of
from mfcc_assets.pipeline.publication import (
    Published,
    QualityVerdict,
    is_withheld,
    judge_quality,
    publish_built_index,
    publish_by_hand,
    refused_index,
    roll_back,
)
from mfcc_assets.pipeline.rankings import find_candidates
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.ranked_lists import RankedLists
from mfcc_assets.storage.sql.records import Observed
from mfcc_assets_tests.damage import damage, empty, index_part
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, index_and_rank, publish, remove_track
from mfcc_assets_tests.runs import run_library


def published_with(library: Library, *numbers: int) -> str:
    """Add tracks, and return the version that is then published."""
    add_tracks(library, *numbers)
    return publish(library)[0].version


def index_versions_of_rows(library: Library) -> set[str]:
    catalogue, recommendations = library.catalogue, library.recommendations
    return {
        row.index_version for track in catalogue.soundtracks() for row in recommendations.recommended(track.track_id)
    }


def test_an_index_without_rankings_is_not_published(ten_tracks, instance) -> None:
    former = ten_tracks.indexes.published_version()
    ten_tracks.blobs.delete("soundtracks", "song-3.flac")
    run_library(ten_tracks, instance, job_name="features")
    index = build_index(ten_tracks).index
    list(find_candidates(ten_tracks, index, ten_tracks.shards))

    with pytest.raises(PublicationRefused, match="9 tracks have no ranking"):
        publish_built_index(ten_tracks)
    assert ten_tracks.indexes.published_version() == former


def test_rollbacks_return_version_by_version_with_their_rows(library) -> None:
    first, second, third = (published_with(library, *numbers) for numbers in ((1, 2, 3, 4), (5,), (6,)))

    assert roll_back(library) == Published(second, third)
    assert index_versions_of_rows(library) == {second}
    assert library.recommendations.recommended(track_id("6.flac")) == [], "that version does not have the track"
    assert library.indexes.published_version() == second

    assert roll_back(library) == Published(first, second)
    assert index_versions_of_rows(library) == {first}
    with pytest.raises(
        NoPublishedIndex, match=f"index {first}: no version that was published before it is still stored"
    ):
        roll_back(library)


def test_a_rollback_from_an_unreadable_index_is_possible(library) -> None:
    first, second = published_with(library, 1, 2, 3), published_with(library, 4)
    damage(library, index_part(library, second, "audio_ids.npy"), empty)

    assert roll_back(library).version == first


def test_a_rollback_before_the_first_publication_is_refused(library) -> None:
    with pytest.raises(NoPublishedIndex, match="no version is published yet"):
        roll_back(library)


def test_a_withdrawn_index_is_published_by_hand_and_not_by_a_run(library) -> None:
    first, second = published_with(library, 1, 2, 3), published_with(library, 4)
    roll_back(library)

    assert index_and_rank(library)[0].version == second, "the same library makes the same version"
    assert publish_built_index(library) == Published(first, first, withheld=second)
    assert library.indexes.published_version() == first
    assert is_withheld(library)

    assert publish_by_hand(library, second) == Published(second, first)
    assert index_versions_of_rows(library) == {second}
    assert not is_withheld(library)
    assert roll_back(library).version == first, "a publication by hand can be rolled back, too"


def test_an_index_of_other_tracks_is_not_withheld(library) -> None:
    published_with(library, 1, 2, 3, 4)
    published_with(library, 5)
    roll_back(library)
    add_tracks(library, 6)

    assert not is_withheld(library)
    third = publish(library)[0]
    assert library.indexes.published_version() == third.version
    assert len(third.tracks) == 6


@pytest.mark.usefixtures("large_library")
def test_an_index_is_withheld_after_two_rollbacks_although_its_version_differs(library) -> None:
    # The second index was calibrated again, since the library had doubled. After the rollbacks, the rebuilt index is
    # calibrated again as well, and so its version differs from the third.
    first = published_with(library, 1, 2)
    published_with(library, 3, 4)
    third = published_with(library, 5)
    for _ in range(2):
        roll_back(library)
    library.indexes.set_built(first)  # otherwise the third would not be built again

    rebuilt = index_and_rank(library)[0]
    assert rebuilt.version != third
    assert publish_built_index(library) == Published(first, first, withheld=rebuilt.version)


def test_publishing_another_index_by_hand_withdraws_the_one_that_runs_build(library) -> None:
    first, second = published_with(library, 1, 2, 3), published_with(library, 4)

    publish_by_hand(library, first)
    index_and_rank(library)
    assert publish_built_index(library).withheld == second
    assert roll_back(library).version == second
    assert not is_withheld(library)


def test_publishing_the_published_version_again_only_writes_its_rows(library) -> None:
    version = published_with(library, 1, 2, 3)
    assert index_versions_of_rows(library) == set()

    assert publish_by_hand(library, version) == Published(version, version)
    assert index_versions_of_rows(library) == {version}
    assert len(library.indexes.history()) == 1


def test_an_index_with_removed_tracks_is_not_published_by_hand(library) -> None:
    first = published_with(library, 1, 2, 3, 4)
    remove_track(library, 4)
    second = publish(library)[0].version

    with pytest.raises(PublicationRefused, match=rf"index {first}: 1 ranked tracks are not .* `mfcc index rollback`"):
        publish_by_hand(library, first)
    assert library.indexes.published_version() == second
    roll_back(library)
    assert index_versions_of_rows(library) == {first}


def set_artist(library: Library, number: int, artist: str) -> None:
    """Change the artist in the tags of a track."""
    file = Observed(f"{number}.flac", "etag", 1, f"{number:032x}", Tags(artist=artist), "")
    library.catalogue.record_observed([file], [], shard_digits=library.settings.shard_digits, run_id="run")


def replace_rankings(library: Library, version: str, ranked: dict[int, list[int]]) -> None:
    """Replace the stored rankings of a version."""
    by_shard = {shard: dict[AudioId, RankedList]() for shard in library.shards}
    index = library.indexes.read(version)
    for query, others in ranked.items():
        shard = index.tracks[audio_id(query)][0]
        by_shard[shard][audio_id(query)] = [(audio_id(other), float(position)) for position, other in enumerate(others)]
    for shard, lists in by_shard.items():
        library.rankings.write("rankings", version, shard, RankedLists.of(lists))


def of_own_artist(numbers: Iterable[int]) -> dict[int, list[int]]:
    """Return lists of all other tracks by the query's artist, if tracks with even numbers are by one artist."""
    every = [*numbers]
    return {query: [other for other in every if other != query and other % 2 == query % 2] for query in every}


def of_other_artists(numbers: Iterable[int]) -> dict[int, list[int]]:
    """Return lists of all tracks that are not by the query's artist."""
    every = [*numbers]
    return {query: [other for other in every if other % 2 != query % 2] for query in every}


def test_the_verdict_has_the_precision_of_both_indexes_and_the_margin(library) -> None:
    published_with(library, *range(1, 7))
    for number in range(1, 7):
        set_artist(library, number, f"Artist {number % 2}")
    replace_rankings(library, str(library.indexes.published_version()), of_own_artist(range(1, 7)))
    with Library(library.settings.model_copy(update={"ranking": "article"})) as other_ranking:
        worse = index_and_rank(other_ranking)[0].version
        replace_rankings(other_ranking, worse, of_other_artists(range(1, 7)))

        verdict = judge_quality(other_ranking, worse)
        assert verdict.figures == {"precision_at_5": 0.0, "published_precision_at_5": pytest.approx(0.4)}
        with pytest.raises(
            PublicationRefused, match=r"precision at five is 0\.000, .* 0\.400, and the margin is 0\.05"
        ):
            publish_built_index(other_ranking)
        with Library(other_ranking.settings.model_copy(update={"quality_margin": 0.5})) as lenient:
            assert judge_quality(lenient, worse).allowed

        assert re.fullmatch(
            rf"Index {worse} is withheld: its precision .* 0\.05\. `mfcc index publish {worse} --force` .*\.",
            refused_index(other_ranking),
        )
        assert status_of(other_ranking).withheld == refused_index(other_ranking)
        assert examine_index(other_ranking).faults == [refused_index(other_ranking)]
        with pytest.raises(
            PublicationRefused, match=rf"`mfcc index publish {worse} --force` publishes it all the same"
        ):
            publish_by_hand(other_ranking, worse)
        assert publish_by_hand(other_ranking, worse, although_worse=True).version == worse
        assert refused_index(other_ranking) == ""
        assert examine_index(other_ranking).faults == []


def publish_good_index(library: Library) -> None:
    """Publish an index of six tracks whose lists have tracks of the own artist alone."""
    published_with(library, *range(1, 7))
    for number in range(1, 7):
        set_artist(library, number, f"Artist {number % 2}")
    replace_rankings(library, str(library.indexes.published_version()), of_own_artist(range(1, 7)))


def grown_and_worse(library: Library, others: int) -> str:
    """Publish a good index of six tracks, and return a version of more tracks whose lists are all wrong."""
    publish_good_index(library)
    add_tracks(library, *range(7, 7 + others))
    grown = index_and_rank(library)[0].version
    replace_rankings(library, grown, of_other_artists(range(1, 7 + others)))
    return grown


def test_the_few_tracks_of_a_library_that_grows_do_not_keep_its_index_from_being_published(library) -> None:
    grown = grown_and_worse(library, others=3)
    assert judge_quality(library, grown).allowed
    assert not judge_quality(library, grown, enough=6).allowed
    assert publish_built_index(library).version == grown


def test_the_few_tracks_of_a_library_that_shrinks_do_not_keep_its_index_from_being_published(library) -> None:
    publish_good_index(library)
    remove_track(library, 6)
    shrunk = index_and_rank(library)[0].version
    replace_rankings(library, shrunk, of_other_artists(range(1, 6)))
    assert judge_quality(library, shrunk).allowed
    assert not judge_quality(library, shrunk, enough=4).allowed


def test_an_index_of_a_library_that_has_doubled_is_not_compared(library) -> None:
    grown = grown_and_worse(library, others=6)
    assert judge_quality(library, grown, enough=6) == QualityVerdict()


def test_an_index_that_recommends_the_same_few_tracks_to_all_is_refused(library) -> None:
    published_with(library, *range(1, 13))
    add_tracks(library, 13)
    index = index_and_rank(library)[0]
    hubs = {query: [hub for hub in (1, 2, 3, 4, 5, 6) if hub != query][:5] for query in range(1, 14)}
    replace_rankings(library, index.version, hubs)
    assert judge_quality(library, index.version).figures == {}, "chance decides among so few tracks"

    verdict = judge_quality(library, index.version, enough=12)
    assert not verdict.allowed
    assert verdict.figures["never_recommended"] == pytest.approx(0.5)
    assert verdict.figures["published_never_recommended"] < 0.4


def test_a_library_with_another_shard_size_is_refused(ten_tracks) -> None:
    with (
        Library(Settings(home=ten_tracks.settings.home, shard_digits=2)) as changed,
        pytest.raises(SettingsError, match=r"1 digits, and MFCC_SHARD_DIGITS says 2\. Set MFCC_SHARD_DIGITS=1"),
    ):
        _ = changed.database
