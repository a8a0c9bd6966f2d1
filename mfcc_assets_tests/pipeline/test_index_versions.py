"""Listing, comparing and pruning versions of the index."""

from datetime import timedelta
from pathlib import Path

import pytest

from mfcc_assets.errors import VersionNotFound
from mfcc_assets.ids import AudioId, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index_versions import (
    ListChange,
    describe_versions,
    diff_versions,
    prune_versions,
    version_named,
)
from mfcc_assets.pipeline.list_order import stored_lists
from mfcc_assets.pipeline.publication import roll_back
from mfcc_assets.pipeline.quality import measure_quality
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets.storage.ranked_lists import RankedLists
from mfcc_assets_tests.damage import damage, empty, index_part
from mfcc_assets_tests.ranked_library import (
    add_track,
    add_tracks,
    audio_id,
    cepstra,
    index_and_rank,
    order_by_distance_alone,
    publish,
    remove_track,
)


def published_with(library: Library, *numbers: int) -> str:
    """Add tracks, and return the version that is then published."""
    add_tracks(library, *numbers)
    return publish(library)[0].version


def test_every_version_is_listed_with_its_state_and_quality(library) -> None:
    first, second = published_with(library, 1, 2, 3), published_with(library, 4)
    measure_quality(library, first)
    roll_back(library)
    add_tracks(library, 5)
    third = index_and_rank(library)[0].version

    described = {version.stored.version: version for version in describe_versions(library)}
    assert list(described) == [third, second, first], "the latest version comes first"
    assert {name: version.state for name, version in described.items()} == {
        third: "never answered",
        second: "withdrawn",
        first: "answers",
    }
    assert [len(described[version].published_at) for version in (first, second, third)] == [2, 1, 0]
    assert [described[version].stored.tracks for version in (first, second, third)] == [3, 4, 5]
    assert described[first].quality["skewness"] == pytest.approx(0)
    assert described[third].quality == {}
    stored = described[first].stored
    assert (stored.ranking, stored.features_version) == (library.settings.ranking, library.feature_parameters.version)


def test_a_version_may_be_abbreviated_if_that_is_unambiguous(library) -> None:
    versions = [published_with(library, *numbers) for numbers in ((1, 2), (3,), (4,))]

    for version in versions:
        assert version_named(library, version) == version
    # Eleven of twelve hexadecimal digits are unambiguous here.
    assert version_named(library, versions[0][:11]) == versions[0]
    with pytest.raises(VersionNotFound, match=r"index “zzz”: no version begins with it\. `mfcc index list` shows all"):
        version_named(library, "zzz")
    with pytest.raises(VersionNotFound, match=f"3 versions begin with it: .*{versions[1]}"):
        version_named(library, "")


def test_versions_of_different_tracks_differ_in_these_and_in_lists_with_them(library) -> None:
    first = published_with(library, *range(1, 13))
    remove_track(library, 12)
    second = published_with(library, 13)
    lists = [
        {query: [audio for audio, _ in found[:5]] for query, found in stored_lists(library, version)}
        for version in (first, second)
    ]

    comparison = diff_versions(library, first, second)

    assert comparison.only_first == [audio_id(12)]
    assert comparison.only_second == [audio_id(13)]
    assert comparison.compared == 11
    changed = {one.query: one for one in comparison.changed}
    assert set(changed) == {
        query for query in lists[0].keys() & lists[1].keys() if set(lists[0][query]) != set(lists[1][query])
    }
    for query, one in changed.items():
        assert {*lists[0][query]} - {*one.removed} | {*one.added} == {*lists[1][query]}
    sizes = [len(one.added) for one in comparison.changed]
    assert sizes == sorted(sizes, reverse=True)
    assert comparison.track_ids[audio_id(12)] == track_id("12.flac"), "a removed track keeps its id"


def test_changed_and_reordered_and_equal_lists_are_distinguished(library, monkeypatch) -> None:
    first = published_with(library, *range(1, 8))
    second = published_with(library, 8)
    index, shards = library.indexes.read(first), library.shards
    for shard in shards:
        pairs = library.rankings.read("rankings", first, shard)
        library.rankings.write("rankings", second, shard, pairs)
    order_by_distance_alone(monkeypatch)
    comparison = diff_versions(library, first, second)
    assert (comparison.compared, comparison.changed, comparison.reordered) == (7, [], [])

    query = audio_id(3)
    shard = index.tracks[query][0]
    grouped = library.rankings.read("rankings", first, shard).by_query()
    ranked = [audio for audio, _ in grouped[query]]

    def replaced_by(audio_ids: list[AudioId]) -> None:
        grouped[query] = [(audio, float(position)) for position, audio in enumerate(audio_ids)]
        library.rankings.write("rankings", second, shard, type(pairs).of(grouped))

    replaced_by([ranked[0], ranked[2], ranked[1], *ranked[3:]])
    assert diff_versions(library, first, second).reordered == [ListChange(query, (), (), first_changed_rank=2)]
    replaced_by([ranked[0], audio_id(8), *ranked[1:]])
    assert diff_versions(library, first, second).changed == [
        ListChange(query, (ranked[4],), (audio_id(8),), first_changed_rank=2)
    ]


def test_differences_that_no_listener_sees_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Library(Settings(home=tmp_path, per_artist=1)) as library:
        for number in range(1, 9):
            add_track(library, number, cepstra(number), artist="one" if number < 4 else f"artist {number}")
        first = publish(library)[0].version
        add_tracks(library, 9)
        second = index_and_rank(library)[0].version
        order_by_distance_alone(monkeypatch)
        query, theirs = audio_id(7), [audio_id(number) for number in (1, 2, 3)]
        shard = library.indexes.read(first).tracks[query][0]

        def ranked_by(version: str, *audio_ids: AudioId) -> None:
            found = {query: [(audio, float(position)) for position, audio in enumerate(audio_ids)]}
            library.rankings.write("rankings", version, shard, RankedLists.of(found))

        others = [audio_id(number) for number in (4, 5, 6, 8)]
        ranked_by(first, theirs[0], *others, *theirs[1:])
        ranked_by(second, theirs[0], theirs[2], others[0], theirs[1], *others[1:])
        comparison = diff_versions(library, first, second)
        assert query not in {one.query for one in (*comparison.changed, *comparison.reordered)}

        # Listeners see that another track of the artist is now in the list.
        ranked_by(second, theirs[2], theirs[0], *others, theirs[1])
        changed = {one.query: one for one in diff_versions(library, first, second).changed}
        assert changed[query] == ListChange(query, (theirs[0],), (theirs[2],), first_changed_rank=1)


def test_the_latest_versions_and_those_that_may_be_needed_are_kept(library) -> None:
    versions = [published_with(library, *numbers) for numbers in ((1, 2, 3), (4,), (5,), (6,))]
    for _ in range(2):
        roll_back(library)
    # The second version is published, and a rollback returns to the first. The other two are withdrawn. The fourth was
    # built last.
    assert prune_versions(library, keep=4) == []
    assert prune_versions(library, keep=0) == [versions[2]]
    assert [version.stored.version for version in describe_versions(library)] == [versions[3], *versions[1::-1]]
    assert prune_versions(library, keep=0) == []
    assert roll_back(library).version == versions[0]


def test_pruning_deletes_damaged_versions_however_few_there_are(library) -> None:
    versions = [published_with(library, number) for number in range(3)]
    damage(library, index_part(library, versions[0], "index.json"), empty)

    assert prune_versions(library, keep=9) == [versions[0]]
    assert library.indexes.damaged_versions() == []


@pytest.mark.usefixtures("large_library")
def test_pruning_deletes_the_segments_that_no_version_uses(library, monkeypatch) -> None:
    monkeypatch.setattr("mfcc_assets.storage.index_segments._BEING_WRITTEN", timedelta(hours=-1))

    def segments() -> set[str]:
        return {blob.name.split("/")[1] for blob in library.blobs.list(CEPSTRA, "index_segments/")}

    for numbers in (range(20), [20], [21], [22, 23]):
        published_with(library, *numbers)
    versions = [version.stored.version for version in describe_versions(library)]
    used = {name: {segment.name for segment in library.indexes.read(name).segments} for name in versions}
    assert [len(used[version]) for version in versions] == [1, 3, 2, 1], "the latest, which comes first, is compacted"
    assert segments() == set.union(*used.values())

    assert len(prune_versions(library, keep=1)) == 2
    assert segments() == used[versions[0]] | used[versions[1]]
    assert roll_back(library).version == versions[1]
    library.indexes.published().load_all()
