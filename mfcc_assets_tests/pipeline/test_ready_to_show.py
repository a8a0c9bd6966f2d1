"""What pages show is there when an index is published, so that an identity which may only read can show every page."""

from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.explain import explain_pair, picture_of_pair
from mfcc_assets.pipeline.library_report import (
    describe_library,
    picture_of_coefficients,
    picture_of_map,
    popularity,
)
from mfcc_assets.pipeline.map_points import map_points, place_audio_on_map
from mfcc_assets.pipeline.nearness import pair_distances_of
from mfcc_assets.pipeline.opened_index import OpenedIndex
from mfcc_assets.pipeline.playlists import path_between
from mfcc_assets.pipeline.publication import publish_by_hand, roll_back
from mfcc_assets.pipeline.quality import picture_of_history
from mfcc_assets.pipeline.recommend_file import recommend_file
from mfcc_assets.storage.blobs.port import CEPSTRA
from mfcc_assets_tests.damage import names
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, index_and_rank, publish
from mfcc_assets_tests.runs import Work, run_library


def refuse_writes(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the blobs of a library refuse whatever changes them, as for an identity that may only read."""

    def refuse(*_: object, **__: object) -> None:
        raise StoreError("this identity may only read")

    for method in ("writing", "create", "write", "upload_file", "copy", "delete"):
        monkeypatch.setattr(type(library.blobs), method, refuse)


def show_every_page(library: Library, query: Path) -> None:
    """Call what pages call."""
    index = library.indexes.published()
    soundtracks = describe_library(library).soundtracks
    pair = explain_pair(library, index, soundtracks[0], soundtracks[1])
    assert pair.nearness is not None
    assert pair.sentences
    assert picture_of_pair(index, pair)
    assert recommend_file(library, query, count=5).recommendations
    assert path_between(
        library, OpenedIndex(library, library.indexes.published()), soundtracks[0], soundtracks[1], steps=4
    ).soundtracks
    assert len(pair_distances_of(library, index).distances)
    assert len(map_points(library, index).points) == len(soundtracks)
    for audio in index.tracks:
        assert place_audio_on_map(library, index, audio)
        assert library.features.read_waveform(audio).peaks.any()
    assert popularity(library, index, soundtracks).hubs
    assert picture_of_coefficients(library, index)
    assert picture_of_history(library, index.version)
    assert picture_of_map(library, index, soundtracks)


def test_every_page_is_shown_by_an_identity_that_may_only_read(
    ten_tracks: Library, query: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_writes(ten_tracks, monkeypatch)
    with pytest.raises(StoreError, match="only read"):
        ten_tracks.indexes.write_attachment("v1", "x", b"")

    with Library(ten_tracks.settings) as library:
        show_every_page(library, query)


def test_the_next_run_makes_what_an_older_version_did_not(
    ten_tracks: Library, instance: dg.DagsterInstance, query: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = ten_tracks.indexes.published_version()
    made = names(ten_tracks, f"indexes/{version}/attachments/")
    for name in made:
        ten_tracks.blobs.delete(CEPSTRA, name)

    assert run_library(ten_tracks, instance).work == Work()

    assert set(made) <= set(names(ten_tracks, f"indexes/{version}/attachments/"))
    refuse_writes(ten_tracks, monkeypatch)
    show_every_page(ten_tracks, query)


def test_what_pages_show_is_there_before_the_index_answers(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    add_tracks(library, *range(8))
    publish(library)
    add_tracks(library, 8)
    index, _ = index_and_rank(library)
    attachments, figures = list[str](), list[str]()
    write_pointer = library.indexes.publish

    def see_then_publish(version: str) -> None:
        attachments.extend(names(library, f"indexes/{version}/attachments/"))
        figures.extend(names(library, f"calibration_figures/{index.calibrated_as}/"))
        write_pointer(version)

    monkeypatch.setattr(library.indexes, "publish", see_then_publish)
    publish(library)

    assert "map.table" in {name.rpartition("/")[2] for name in attachments}
    measured = {name.rpartition("-")[2] for name in figures}
    assert measured == {"random_pairs.npz", "pair_distances.npz", "sound_figures.npz"}
    assert len(map_points(library, index).points) == 9


@pytest.mark.parametrize("by", ["hand", "rollback"])
def test_an_index_that_is_published_again_is_made_ready_too(library: Library, by: str) -> None:
    add_tracks(library, *range(8))
    former, _ = publish(library)
    add_tracks(library, 8)
    publish(library)
    library.blobs.delete(CEPSTRA, f"indexes/{former.version}/attachments/map.table")

    if by == "hand":
        publish_by_hand(library, former.version, although_worse=True)
    else:
        roll_back(library)

    assert library.indexes.read_attachment(former.version, "map.table") is not None


def test_an_empty_library_has_nothing_to_show(library: Library) -> None:
    index, _ = publish(library)

    assert map_points(library, index).points.shape == (0, 2)
    assert names(library, f"indexes/{index.version}/attachments/sound") == []


def test_a_track_without_features_does_not_stop_a_publication(library: Library) -> None:
    add_tracks(library, *range(8))
    index, _ = index_and_rank(library)
    cepstra = library.feature_parameters.cepstra
    library.blobs.delete(CEPSTRA, f"frames/features_version={cepstra.version}/{audio_id(3)}.parquet")

    publish(library)

    assert library.indexes.published_version() == index.version
    assert np.isfinite(pair_distances_of(library, index).distances).all()
