"""Reports of the Blob inventory name what a listing names, and are never trusted if they may lack something."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.music_names import FOLDERS
from mfcc_assets.storage.blobs.azure import AzureBlobs
from mfcc_assets.storage.blobs.inventory import OLDEST, BlobInventory
from mfcc_assets.storage.blobs.port import CEPSTRA, SOUNDTRACKS, Blob, BlobStore
from mfcc_assets_tests.inventory_reports import RULE, write_report
from mfcc_assets_tests.services.faulty_proxy import FaultyProxy

NAMES = ("a.mp3", 'album/é, "quoted".flac', "album/日本語.ogg", "x y/%41.wav")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def blobs(local_blobs: BlobStore) -> BlobStore:
    for name in NAMES:
        local_blobs.write(SOUNDTRACKS, name, name.encode())
    return local_blobs


def named(blobs: BlobStore, now: datetime | None = None) -> list[Blob]:
    """Return the blobs that the newest report names, by name."""
    return sorted(BlobInventory(blobs, RULE).newest(SOUNDTRACKS, refuse, now).blobs, key=lambda blob: blob.name)


def refuse(name: str, kind: str) -> None:
    raise AssertionError(f"{name} was skipped: {kind}")


@pytest.mark.parametrize("written", [{"kind": "csv"}, {"kind": "parquet"}, {"kind": "csv", "files": 3}])
def test_a_report_names_what_a_listing_names(open_blobs: Callable[..., AzureBlobs], written: dict[str, Any]) -> None:
    blobs = open_blobs()
    for name in NAMES:
        blobs.write(SOUNDTRACKS, name, name.encode())
    listed = sorted(blobs.list(SOUNDTRACKS), key=lambda blob: blob.name)
    write_report(blobs, listed, **written)

    assert named(blobs) == listed


def test_a_look_at_a_large_container_takes_few_requests(
    open_blobs: Callable[..., AzureBlobs], proxy: FaultyProxy
) -> None:
    blobs = open_blobs()
    many = [Blob(f"{number:05}.mp3", number, f"0x8D{number:X}", NOW) for number in range(20_000)]
    write_report(blobs, many, kind="parquet")
    assert len(named(blobs)) == len(many)
    proxy.exchanges.clear()

    assert len(named(blobs)) == len(many)

    assert len(proxy.exchanges) <= 6


def test_the_newest_complete_report_counts(blobs: BlobStore) -> None:
    listed = list(blobs.list(SOUNDTRACKS))
    write_report(blobs, listed[:1], began=NOW - timedelta(days=3))
    write_report(blobs, listed[:2], began=NOW - timedelta(days=2))
    write_report(blobs, listed[:3], began=NOW - timedelta(days=1), status="Failed")
    write_report(blobs, [], began=NOW - timedelta(minutes=5), status="Pending", files=0)

    report = BlobInventory(blobs, RULE).newest(SOUNDTRACKS, refuse, NOW)

    assert report.began == NOW - timedelta(days=2)
    assert len(list(report.blobs)) == 2


def test_a_report_of_the_last_days_of_a_year_is_found_in_the_next_one(blobs: BlobStore) -> None:
    write_report(blobs, blobs.list(SOUNDTRACKS), began=datetime(2025, 12, 31, 23, 59, tzinfo=UTC))
    assert len(named(blobs, datetime(2026, 1, 2, tzinfo=UTC))) == len(NAMES)


def test_without_a_report_that_is_new_enough_the_error_says_what_to_do(blobs: BlobStore) -> None:
    with pytest.raises(StoreError, match=r"no complete report of the inventory rule soundtracks.*MFCC_BLOB_INVENTORY"):
        named(blobs, NOW)
    write_report(blobs, blobs.list(SOUNDTRACKS), began=NOW - OLDEST - timedelta(hours=1))
    with pytest.raises(StoreError, match="no complete report"):
        named(blobs, NOW)


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"objectType": "container"}, "reports containers"),
        ({"filters": {"blobTypes": ["appendBlob"]}}, "leaves out block blobs"),
        ({"filters": {"blobTypes": ["blockBlob"], "prefixMatch": ["artworks/"]}}, "leaves out blobs of the container"),
        ({"filters": {"blobTypes": ["blockBlob"], "prefixMatch": ["soundtracks/a"]}}, "leaves out blobs of the"),
        ({"filters": {"blobTypes": ["blockBlob"], "excludePrefix": ["soundtracks/old"]}}, "leaves out blobs of the"),
        ({"filters": {"blobTypes": ["blockBlob"], "creationTime": {"lastNDays": 3}}}, "made lately"),
        ({"schemaFields": ["Name", "Last-Modified", "Content-Length"]}, "no fields etag"),
    ],
)
def test_a_rule_that_leaves_out_soundtracks_is_refused(blobs: BlobStore, rule: dict[str, Any], fault: str) -> None:
    name = write_report(blobs, blobs.list(SOUNDTRACKS), rule=rule)
    with pytest.raises(StoreError, match=fault) as refused:
        named(blobs)
    assert refused.value.subject == f"{CEPSTRA}/{name}"
    assert "inventory rule" in refused.value.remedy


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_damaged_report_is_an_error_that_names_the_file(blobs: BlobStore, kind: Any) -> None:
    manifest = write_report(blobs, blobs.list(SOUNDTRACKS), kind=kind)
    folder = manifest.rpartition("/")[0]
    (file,) = (blob for blob in blobs.list(CEPSTRA, folder) if blob.name != manifest)
    content = blobs.read(CEPSTRA, file.name)

    for damaged in (content[:-1], content.replace(b"Etag", b"Gate"), bytes(len(content))):
        blobs.write(CEPSTRA, file.name, damaged)
        with pytest.raises(StoreError, match="cannot be used") as refused:
            named(blobs)
        assert refused.value.subject == f"{CEPSTRA}/{file.name}"
    blobs.delete(CEPSTRA, file.name)
    with pytest.raises(StoreError, match="not there"):
        named(blobs)


@pytest.mark.parametrize(
    ("manifest", "fault"),
    [
        ({"summary": {"objectCount": 5}}, "its files have 4 rows, and it says 5"),
        ({"summary": {"objectCount": 0}}, "its files have 4 rows, and it says 0"),
        ({"inventoryStartTime": "yesterday"}, "lacks what is needed"),
        ({"ruleDefinition": None}, "lacks what is needed"),
    ],
)
def test_a_manifest_that_does_not_fit_its_files_is_refused(
    blobs: BlobStore, manifest: dict[str, Any], fault: str
) -> None:
    name = write_report(blobs, blobs.list(SOUNDTRACKS), **manifest)
    with pytest.raises(StoreError, match=fault) as refused:
        named(blobs)
    assert refused.value.subject == f"{CEPSTRA}/{name}"


def test_what_is_no_manifest_is_refused(blobs: BlobStore) -> None:
    name = write_report(blobs, [])
    for content in (b"", b"{}", b"[]", b"null"):
        blobs.write(CEPSTRA, name, content)
        with pytest.raises(StoreError, match="no manifest"):
            named(blobs)


def test_snapshots_versions_folders_and_blobs_of_other_containers_are_left_out(blobs: BlobStore) -> None:
    rows = [
        "Name,Last-Modified,Content-Length,ETag,Snapshot,IsCurrentVersion,Deleted,hdi_isfolder",
        'soundtracks/a.mp3,"Mon, 02 Mar 2026 12:00:00 GMT",5,"""0x8D1""",,true,,false',
        "soundtracks/a.mp3,2026-03-01T12:00:00Z,5,0x8D0,,false,,",
        "soundtracks/a.mp3,2026-03-01T12:00:00Z,5,0x8D0,2026-03-01T12:00:00.1234567Z,,,",
        "soundtracks/gone.mp3,2026-03-01T12:00:00Z,5,0x8D0,,true,true,",
        "soundtracks/album,2026-03-01T12:00:00Z,0,0x8D0,,true,,true",
        "soundtracks/folder/,2026-03-01T12:00:00Z,0,0x8D0,,true,,",
        "artworks/a.png,2026-03-01T12:00:00Z,5,0x8D0,,true,,",
    ]
    write_report(blobs, [], content="\r\n".join(rows).encode(), summary={"objectCount": len(rows) - 1})
    skipped: list[tuple[str, str]] = []

    report = BlobInventory(blobs, RULE).newest(SOUNDTRACKS, lambda name, kind: skipped.append((name, kind)))

    assert list(report.blobs) == [Blob("a.mp3", 5, "0x8D1", NOW, whole=True)]
    assert skipped == [("folder/", FOLDERS)]
