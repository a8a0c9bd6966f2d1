"""The index of a library, built from the stored features."""

import json
from unittest.mock import patch

import pytest

from mfcc_assets.errors import CorruptIndex, UnknownRanking
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index, index_parameters
from mfcc_assets.pipeline.index_versions import describe_versions, prune_versions
from mfcc_assets.search.builder import IndexBuilder
from mfcc_assets.search.compaction import compacted
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.settings import Settings
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets.storage.ranking_store import STAGES
from mfcc_assets_tests.damage import damage, empty, index_part
from mfcc_assets_tests.ranked_library import (
    add_tracks,
    audio_id,
    publish,
    rank_from_scratch,
    remove_track,
    stored_pairs,
)


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


def test_an_index_that_was_built_and_not_published_is_not_built_again(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_tracks(library, *range(8))
    publish(library)
    add_tracks(library, 8, 9)
    withheld = build_index(library)
    monkeypatch.setattr(IndexBuilder, "build", lambda *_: pytest.fail("it is built again"))

    again = build_index(library)

    assert again.index.version == withheld.index.version
    assert (again.added, again.removed, again.written) == (2, 0, False)


def test_an_index_tells_why_it_was_calibrated_anew(library: Library) -> None:
    add_tracks(library, *range(8))
    assert build_index(library).calibrated_because == "No index had these features."
    publish(library)
    assert build_index(library).calibrated_because == ""
    add_tracks(library, 8)

    assert build_index(library).calibrated_because == "A library of at most 400 tracks is calibrated at every change."


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


def etags(library: Library) -> dict[str, str]:
    """Return the ETags of all files of indexes. An ETag changes whenever a file is written."""
    return {blob.name: blob.etag for blob in library.blobs.list(CEPSTRA, "index")}


def written_since(library: Library, before: dict[str, str]) -> dict[str, int]:
    """Return the sizes of the files of indexes that were written since."""
    stored = library.blobs.list(CEPSTRA, "index")
    return {blob.name: blob.size for blob in stored if before.get(blob.name) != blob.etag}


@pytest.mark.usefixtures("large_library")
def test_a_new_track_writes_one_small_segment_and_no_other(library: Library) -> None:
    add_tracks(library, *range(30))
    first, _ = publish(library)
    add_tracks(library, 30)
    before = etags(library)

    built = build_index(library)

    written = written_since(library, before)
    assert [len(segment) for segment in built.index.segments] == [30, 1]
    new = built.index.segments[1].name
    assert {name.rsplit("/", 1)[0] for name in written} == {
        f"index_segments/{new}",
        f"indexes/{built.index.version}",
        "indexes",
    }
    of_first = written_since(library, {})
    size = sum(of_first[name] for name in of_first if name.startswith(f"index_segments/{first.segments[0].name}/"))
    assert sum(written.values()) < size / 10


@pytest.mark.usefixtures("large_library")
def test_a_removed_track_writes_no_segment(library: Library) -> None:
    add_tracks(library, *range(30))
    publish(library)
    remove_track(library, 7)
    before = etags(library)

    built = build_index(library)

    assert {name.split("/")[0] for name in written_since(library, before)} == {"indexes"}
    assert sum(written_since(library, before).values()) < 10_000
    assert len(library.indexes.read(built.index.version).load_all().tracks) == 29


@pytest.mark.usefixtures("large_library")
def test_an_index_is_compacted_when_a_tenth_of_its_rows_is_outside_of_the_largest_segment(library: Library) -> None:
    add_tracks(library, *range(20))
    publish(library)
    lengths = []
    for number in range(20, 24):
        add_tracks(library, number)
        index, _ = publish(library)
        lengths.append([len(segment) for segment in library.indexes.published().segments])
        assert set(index.tracks) == {audio_id(each) for each in range(number + 1)}
    assert lengths == [[20, 1], [20, 1, 1], [23], [23, 1]]


@pytest.mark.usefixtures("large_library")
def test_compaction_changes_neither_the_version_nor_a_list(library: Library) -> None:
    add_tracks(library, *range(40))
    publish(library)
    add_tracks(library, 40, 41)
    index, _ = publish(library)
    assert len(index.segments) == 2
    library.blobs.delete(CEPSTRA, "indexes/published.json")
    in_two_segments = lists_from_scratch(library, index)

    with patch("mfcc_assets.search.compaction.LARGEST_SHARE_OUTSIDE", 0):
        together = compacted(index)
    library.indexes.write(together)
    opened = library.indexes.read(index.version)

    assert (together.version, len(opened.segments)) == (index.version, 1)
    assert lists_from_scratch(library, opened) == in_two_segments


def lists_from_scratch(library: Library, index: LibraryIndex) -> list[dict[AudioId, RankedList]]:
    """Compute and return the candidates and the rankings of all tracks. Stored ones are deleted first."""
    rank_from_scratch(library, index)
    return [stored_pairs(library, index, stage) for stage in STAGES]


def as_an_older_program_stored_it(library: Library, version: str) -> None:
    """Describe an index as programs did that knew no segments. Each version had its own parts."""
    name = f"indexes/{version}/index.json"
    record = json.loads(library.blobs.read(CEPSTRA, name))
    for key in ("segments", "crc32"):
        del record[key]
    record["parts"] = {"means.npy": {"bytes": 5, "crc32": 0}}
    library.blobs.write(CEPSTRA, f"indexes/{version}/means.npy", b"means")
    library.blobs.write(CEPSTRA, name, json.dumps(record).encode())
    for blob in list(library.blobs.list(CEPSTRA, "index")):
        if blob.name.startswith(("index_segments/", "index_calibrations/", f"indexes/{version}/changes")):
            library.blobs.delete(CEPSTRA, blob.name)


@pytest.mark.parametrize("added", [(), (8,)], ids=["unchanged", "with a new track"])
def test_an_index_of_an_older_program_is_built_anew_and_answers(library: Library, added: tuple[int, ...]) -> None:
    add_tracks(library, *range(8))
    version = publish(library)[0].version
    as_an_older_program_stored_it(library, version)
    with pytest.raises(CorruptIndex, match=f"index {version}: another version of this program made the stored index"):
        library.indexes.published()
    assert "another version of this program" in describe_versions(library)[0].damage
    add_tracks(library, *added)

    built = build_index(library)

    assert len(built.index.tracks) == 8 + len(added)
    assert library.indexes.read(built.index.version).load_all().tracks == built.index.tracks
    assert publish(library)[0].version == library.indexes.published().version
    prune_versions(library, keep=1)
    assert library.indexes.published().load_all().version == built.index.version
