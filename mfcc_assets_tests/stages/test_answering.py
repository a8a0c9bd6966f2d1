"""One file answered at once, on real music."""

from pathlib import Path

import dagster as dg
import pytest

from mfcc_assets.core.catalogue import track_id
from mfcc_assets.library import Library
from mfcc_assets.stages.answering import recommend_file
from mfcc_assets_tests.runs import run_library

DEMO = Path(__file__).parents[2] / "mfcc_assets" / "demo"
JOURNEY = DEMO / "library" / "Maxstack_A_New_Journey.ogg"
OTHERS = ["Maxstack_Awakening.ogg", "Muldjord_armygeddon.ogg", "Will_Savino_Ocean.ogg"]


@pytest.fixture
def real_library(library: Library, instance: dg.DagsterInstance) -> Library:
    """Four tracks, one of them a second time: 18 s of it, as MP3."""
    for path in (JOURNEY, *(DEMO / "library" / name for name in OTHERS)):
        library.blobs.upload_file("soundtracks", path.name, path)
    library.blobs.upload_file("soundtracks", "again.mp3", DEMO / "uploads" / "a-new-journey.mp3")
    run_library(library, instance)
    return library


@pytest.mark.parametrize("query", [JOURNEY, DEMO / "uploads" / "a-new-journey.mp3"])
def test_no_encoding_of_the_recording_that_was_asked_about_is_recommended(real_library: Library, query: Path) -> None:
    answer = recommend_file(real_library, query, size=5)

    assert answer.recognised is not None
    assert len(answer.recognised.audio_ids) == 2
    assert {place.track_id for place in answer.recommendations} == {track_id(name) for name in OTHERS}


def test_nothing_is_stored_of_a_file_that_is_only_asked_about(real_library: Library) -> None:
    def stored() -> set[str]:
        return {blob.name for blob in real_library.blobs.list("cepstra")}

    before = stored()
    answer = recommend_file(real_library, DEMO / "uploads" / "coherence.mp3", size=2)

    assert stored() == before
    assert [place.rank for place in answer.recommendations] == [1, 2]
    assert answer.recommendations[0].distance <= answer.recommendations[1].distance
