"""Tests of index versions as programs get them."""

from datetime import UTC, datetime

from mfcc_assets.pipeline.index_versions import DescribedVersion
from mfcc_assets.storage.index_history import StoredVersion
from mfcc_assets.web.api.index_models import IndexVersion


def test_a_version_is_told_with_its_state_and_times() -> None:
    built = datetime(2026, 11, 1, tzinfo=UTC)
    stored = StoredVersion("4671e799961d", built, 44, "fused", "c0a1b2c3d4e5")
    described = DescribedVersion(stored, {"at_5": None}, [built], answers=True, is_withdrawn=False, damage="")

    told = IndexVersion.of(described)

    assert (told.state, told.built_at, told.published_at) == ("answers", built.isoformat(), [built.isoformat()])
    assert told.quality == {"at_5": None}
