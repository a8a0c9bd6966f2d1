"""A library on Azure whose soundtracks a report of the Blob inventory names."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mfcc_assets.errors import StoreError
from mfcc_assets.library import Library
from mfcc_assets.music_names import GONE_SINCE_REPORT
from mfcc_assets.pipeline.music_files import soundtrack_files
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.outstanding_work import changed_soundtracks, outstanding_work
from mfcc_assets.pipeline.soundtracks import COMPUTED, UNCHANGED, analyse_soundtracks
from mfcc_assets_tests.inventory_reports import RULE, write_report
from mfcc_assets_tests.services.faulty_proxy import FaultyProxy


@pytest.fixture
def reported(azure_library: Library) -> Iterator[Library]:
    """Open the library with the setting."""
    with Library(azure_library.settings.model_copy(update={"blob_inventory": RULE})) as library:
        yield library


def report(library: Library, *, hours: float) -> None:
    """Write a report of what is in the container now, as if it had begun some hours ago."""
    write_report(library.blobs, library.blobs.list("soundtracks"), began=datetime.now(UTC) - timedelta(hours=hours))


def outcomes(library: Library) -> dict[str, str]:
    """Observe all soundtracks and analyse them, and return how each was analysed."""
    observe_soundtracks(library, library.shards, run_id="run")
    return analyse_soundtracks(library, library.shards, run_id="run").outcomes


def test_what_comes_goes_or_changes_after_a_report_is_found_by_the_next_one(
    reported: Library, azure_library: Library, ten_songs: list[Path], blob_proxy: FaultyProxy
) -> None:
    first, gone, changed, later = ten_songs[:4]
    put = reported.blobs.upload_file
    with pytest.raises(StoreError, match="no complete report"):
        soundtrack_files(reported)
    for song in (first, gone, changed):
        put("soundtracks", song.name, song)
    report(reported, hours=5)
    reported.blobs.delete("soundtracks", gone.name)
    put("soundtracks", changed.name, ten_songs[5])
    put("soundtracks", later.name, later)
    blob_proxy.exchanges.clear()

    assert outcomes(reported) == {first.name: COMPUTED, changed.name: COMPUTED}
    lists = [each.path for each in blob_proxy.exchanges if "comp=list" in each.path and "/soundtracks?" in each.path]
    assert lists == []
    assert {file.blob_name: file.kind for file in reported.catalogue.skipped_files()} == {gone.name: GONE_SINCE_REPORT}

    # Until the next report nothing is done again.
    assert changed_soundtracks(reported, soundtrack_files(reported)) == {}
    assert outcomes(reported) == {first.name: UNCHANGED, changed.name: UNCHANGED}

    # A run that lists the container finds the later file, and the old report does not undo it.
    assert outcomes(azure_library) == {first.name: UNCHANGED, changed.name: UNCHANGED, later.name: COMPUTED}
    assert changed_soundtracks(reported, soundtrack_files(reported)).keys() == {gone.name}
    assert not [line for line in outstanding_work(reported) if line.startswith(("gone", "changed"))]
    assert outcomes(reported).keys() == {first.name, changed.name, later.name}

    report(reported, hours=-0.2)
    assert changed_soundtracks(reported, soundtrack_files(reported)) == {}
    assert set(outcomes(reported).values()) == {UNCHANGED}
    assert reported.catalogue.skipped_files() == []
