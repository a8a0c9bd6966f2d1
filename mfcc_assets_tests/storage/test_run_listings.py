"""The steps of a run share their listings."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.library import Library
from mfcc_assets.pipeline import observe
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import CEPSTRA, SOUNDTRACKS
from mfcc_assets.storage.run_listings import RunListings
from mfcc_assets_tests.runs import copied_home, run_library


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path, lambda: b"key")


def names(listings: RunListings, run_id: str) -> list[str]:
    return sorted(blob.name for blob in listings.of("frames/", run_id))


def test_a_run_lists_a_folder_once_and_the_next_run_sees_what_came_since(blobs: LocalBlobs) -> None:
    listings = RunListings(blobs, CEPSTRA)
    blobs.write(CEPSTRA, "frames/a", b"a")
    assert names(listings, "first") == ["frames/a"]

    blobs.write(CEPSTRA, "frames/b", b"b")

    assert names(listings, "first") == ["frames/a"]
    assert names(listings, "") == ["frames/a", "frames/b"]
    assert names(listings, "second") == ["frames/a", "frames/b"]


def test_what_the_run_itself_writes_or_deletes_is_seen(blobs: LocalBlobs) -> None:
    listings = RunListings(blobs, CEPSTRA)
    assert names(listings, "run") == []
    blobs.write(CEPSTRA, "frames/a", b"a")

    listings.changed("timbre/a")
    assert names(listings, "run") == []
    listings.changed("frames/a")
    assert names(listings, "run") == ["frames/a"]


def test_another_attempt_of_a_run_lists_anew(blobs: LocalBlobs) -> None:
    listings = RunListings(blobs, CEPSTRA)
    assert names(listings, "run") == []
    blobs.write(CEPSTRA, "frames/a", b"a")

    listings.forget()

    assert names(listings, "run") == ["frames/a"]


def test_a_run_over_an_unchanged_library_lists_the_files_and_the_features_once_and_observes_no_file_by_its_bytes(
    up_to_date_home: Path, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, read = Counter[str](), Counter[str]()
    list_blobs, as_file = LocalBlobs.list, LocalBlobs.as_file

    def count_list(blobs: LocalBlobs, container: str, prefix: str = "", *others: object, **more: object) -> object:
        listed[f"{container}/{prefix}"] += 1
        return list_blobs(blobs, container, prefix, *others, **more)  # type: ignore[arg-type]

    def count_read(blobs: LocalBlobs, container: str, name: str) -> object:
        read[container] += 1
        return as_file(blobs, container, name)

    with Library(Settings(home=copied_home(up_to_date_home, tmp_path / "home"))) as library:
        # The copies of the files are younger than their observation, so the first run reads them once more.
        monkeypatch.setattr(observe, "_SEEN_LATER", timedelta(0))
        run_library(library, instance)
        monkeypatch.setattr(LocalBlobs, "list", count_list)
        monkeypatch.setattr(LocalBlobs, "as_file", count_read)

        run_library(library, instance)

        parameters = library.feature_parameters
    cepstra = parameters.cepstra.version
    frames = (f"frames/features_version={cepstra}/", f"frames/{cepstra}/")
    of_features = (*frames, f"timbre/{cepstra}/", f"summaries/{parameters.version}/", "waveforms/1/")
    large = {f"{SOUNDTRACKS}/", "artworks/", *(f"{CEPSTRA}/{folder}" for folder in of_features)}
    assert {folder: listed[folder] for folder in large} == dict.fromkeys(large, 1)
    # All others are folders of an index, which have a few files, however large the library is.
    others = listed.keys() - large
    assert all(folder.startswith(f"{CEPSTRA}/index") for folder in others)
    assert sum(listed[folder] for folder in others) <= 60
    assert read[SOUNDTRACKS] <= REFERENCE_TRACKS


REFERENCE_TRACKS = 3
"""Tracks that each run analyses anew, to compare them with the published index."""


def test_a_library_asks_for_what_is_there_now_without_a_run(ten_tracks: Library) -> None:
    parameters = ten_tracks.feature_parameters
    before = ten_tracks.features.audio_with_track_features(parameters)
    gone = min(before)

    ten_tracks.blobs.delete(CEPSTRA, f"summaries/{parameters.version}/{gone}.parquet")

    assert ten_tracks.features.audio_with_track_features(parameters) == before - {gone}
