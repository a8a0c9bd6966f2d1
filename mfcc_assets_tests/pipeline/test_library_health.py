"""The examination of a library."""

import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.errors import NoPublishedIndex
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index_versions import prune_versions
from mfcc_assets.pipeline.library_health import (
    examine_all,
    examine_artworks,
    examine_database,
    examine_documents,
    examine_features,
    examine_index,
    examine_lists,
    examine_soundtracks,
)
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.publication import roll_back
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks
from mfcc_assets.storage.ranking_store import RankedLists
from mfcc_assets_tests.damage import cut, damage, flip, index_part, names
from mfcc_assets_tests.ordinary_user import as_ordinary_user
from mfcc_assets_tests.runs import lose_tables, run_library


def faults(library: Library) -> dict[str, list[str]]:
    return {part.part: list(part.faults) for part in examine_all(library) if part.faults}


def test_every_part_of_a_good_library_is_good(ten_tracks: Library) -> None:
    assert faults(ten_tracks) == {}
    assert "10 soundtracks" in examine_database(ten_tracks).found
    assert examine_documents(ten_tracks).found == "0 uploads"
    assert examine_soundtracks(ten_tracks).found == "10 files"
    assert examine_artworks(ten_tracks).found == "10 pictures"
    assert examine_features(ten_tracks).found == "40 files read"
    assert "answers, with 10 tracks; 1 version stored" in examine_index(ten_tracks).found


@pytest.mark.parametrize("how", [flip, cut])
@pytest.mark.parametrize("folder", ["frames/", "timbre/", "summaries/"])
def test_damaged_features_are_found_wherever_they_lie(
    ten_tracks: Library, folder: str, how: Callable[[bytes], bytes]
) -> None:
    damage(ten_tracks, names(ten_tracks, folder)[0], how)

    assert list(faults(ten_tracks)) == ["features"]


def test_missing_features_are_counted(ten_tracks: Library) -> None:
    for name in names(ten_tracks, "summaries/")[:2]:
        ten_tracks.blobs.delete("cepstra", name)

    assert faults(ten_tracks)["features"] == [
        "Features are missing of 2 analysed tracks. `mfcc sync` computes them again."
    ]


def test_features_that_a_stopped_load_did_not_compute_yet_are_no_fault(library: Library, ten_songs: list[Path]) -> None:
    library.blobs.upload_file("soundtracks", "song.flac", ten_songs[0])
    observe_soundtracks(library, library.shards, run_id="run")
    analyse_soundtracks(library, library.shards, run_id="run")

    found = examine_features(library)
    assert found.faults == []
    assert found.notes == ["Not computed yet: features of 1 track. `mfcc sync` goes on with them."]


def test_a_damaged_part_of_the_index_and_a_damaged_pointer_are_found(ten_tracks: Library) -> None:
    version = ten_tracks.indexes.published_version()
    damage(ten_tracks, index_part(ten_tracks, version, "embeddings.npy"), flip)
    assert "embeddings.npy is not what was written" in faults(ten_tracks)["index"][0]

    damage(ten_tracks, "indexes/publications.json", cut)
    assert len(faults(ten_tracks)["index"]) == 2


def test_a_damaged_version_to_which_a_rollback_would_return_is_found(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    former = ten_tracks.indexes.published_version()
    assert former is not None
    ten_tracks.blobs.delete("soundtracks", "song-9.flac")
    run_library(ten_tracks, instance)
    assert faults(ten_tracks) == {}
    damage(ten_tracks, index_part(ten_tracks, former, "embeddings.npy"), flip)

    (fault,) = faults(ten_tracks)["index"]
    assert fault.startswith(f"index {former} cannot be read (index segment ")
    assert "the stored index is corrupt: embeddings.npy is not what was written" in fault
    assert "a rollback would return to it and fail" in fault


def test_a_former_version_that_another_program_made_is_no_fault_and_no_rollback_returns_to_it(
    ten_tracks: Library, instance: dg.DagsterInstance
) -> None:
    former = ten_tracks.indexes.published_version()
    assert former is not None
    name = f"indexes/{former}/index.json"
    record = {**json.loads(ten_tracks.blobs.read("cepstra", name)), "ranking_revision": -1}
    del record["crc32"]
    ten_tracks.blobs.delete("soundtracks", "song-9.flac")
    run_library(ten_tracks, instance)
    ten_tracks.blobs.write("cepstra", name, json.dumps(record).encode())

    found = examine_index(ten_tracks)

    assert list(found.faults) == []
    assert list(found.notes) == [
        "Another version of this program made 1 stored version, which cannot answer here. "
        "`mfcc index prune` deletes old versions."
    ]
    with pytest.raises(NoPublishedIndex, match="no version that was published before it is still stored"):
        roll_back(ten_tracks)
    assert prune_versions(ten_tracks, keep=1) == [former]
    assert list(examine_index(ten_tracks).notes) == []


def test_damaged_artworks_and_lists_are_found_with_what_is_done_about_each(ten_tracks: Library) -> None:
    version = ten_tracks.indexes.published_version()
    assert version is not None
    upload = UploadId("0f" * 16)
    ten_tracks.rankings.write("rankings", version, upload, RankedLists.of_upload(upload, []))
    (artwork, *_) = ten_tracks.blobs.list("artworks")
    ten_tracks.blobs.write("artworks", artwork.name, b"")
    of_shard = names(ten_tracks, f"indexes/{version}/candidates/")[0]
    for name in (of_shard, f"indexes/{version}/rankings/{upload}.parquet"):
        damage(ten_tracks, name, cut)

    assert faults(ten_tracks) == {
        "artworks": [
            f"artworks/{artwork.name}: the stored picture is damaged. `mfcc sync` reads it from the soundtrack again."
        ],
        "lists": [
            f"cepstra/{of_shard}: the stored candidates are damaged. `mfcc sync` computes them again.",
            f"cepstra/indexes/{version}/rankings/{upload}.parquet: the stored rankings are damaged. "
            "`mfcc sync` deletes them, and the answer to the upload stays.",
        ],
    }
    assert examine_lists(ten_tracks).found


def test_lost_tables_are_found(ten_tracks: Library) -> None:
    lose_tables(ten_tracks)

    assert "the database has none of the soundtracks of index" in faults(ten_tracks)["database"][0]


def test_a_file_that_may_not_be_read_is_found(ten_tracks: Library) -> None:
    (ten_tracks.settings.blobs / "soundtracks" / "song-3.flac").chmod(0)

    with as_ordinary_user():
        assert examine_soundtracks(ten_tracks).faults == [
            "song-3.flac: it cannot be read (Permission denied). Check its permissions and its disk."
        ]


def test_rejects_and_changes_are_no_faults_but_are_noted(ten_tracks: Library) -> None:
    ten_tracks.blobs.write("soundtracks", "new.mp3", b"no music")

    found = examine_soundtracks(ten_tracks)

    assert (found.faults, found.notes) == ([], ["Not done yet: 1 change. `mfcc sync` starts a run that does it."])


def test_an_examination_makes_nothing_where_no_library_is(library: Library) -> None:
    assert [part.part for part in examine_all(library)] == ["settings", "versions", "home", "disk", "extras"]
    assert not library.settings.folder.exists()


def test_a_folder_in_place_that_is_away_is_told(ten_tracks: Library, tmp_path: Path) -> None:
    ten_tracks.music_folders.add([tmp_path / "not mounted"])

    found = examine_soundtracks(ten_tracks)

    assert found.faults == []
    sentence = f"{tmp_path / 'not mounted'} is away: it does not exist. The library has no soundtracks of it."
    assert sentence in found.notes
