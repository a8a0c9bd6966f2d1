"""Damaged lists of answered uploads are deleted and told, and the answers stay."""

from datetime import UTC, datetime

import pytest

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_lists import remove_damaged_lists
from mfcc_assets.storage.ranking_store import STAGES
from mfcc_assets_tests.damage import Damage, cut, damage, empty, names

DAMAGED, INTACT = UploadId("0f" * 16), UploadId("1e" * 16)


@pytest.mark.parametrize("change", [empty, cut])
def test_damaged_lists_of_an_upload_are_deleted_and_others_stay(ten_tracks: Library, change: Damage) -> None:
    version = ten_tracks.indexes.published_version()
    assert version is not None
    audio = list(ten_tracks.indexes.published().tracks.audio_ids)
    for upload in (DAMAGED, INTACT):
        for stage in STAGES:
            ten_tracks.rankings.write_upload(stage, version, upload, [(audio_id, 0.5) for audio_id in audio])
    assert remove_damaged_lists(ten_tracks) == []
    intact = set(names(ten_tracks, "indexes/"))
    before = datetime.now(UTC)
    damaged = {f"indexes/{version}/{stage}/{DAMAGED}.npz" for stage in STAGES}
    for name in damaged:
        damage(ten_tracks, name, change)

    told = remove_damaged_lists(ten_tracks)

    assert set(names(ten_tracks, "indexes/")) == intact - damaged
    assert told == ten_tracks.repairs.since(before)
    assert sorted(told) == [
        f"cepstra/indexes/{version}/{stage}: the stored list of an upload is damaged. It is deleted, and the answer to "
        "the upload stays."
        for stage in STAGES
    ]
    assert not any(DAMAGED in sentence for sentence in told), "what is told outlives the upload"
    assert remove_damaged_lists(ten_tracks) == []
