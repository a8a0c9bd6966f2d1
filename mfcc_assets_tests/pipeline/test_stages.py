"""The stages of a first load: how many files each of them analyses, and which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.audio.tags import Tags
from mfcc_assets.ids import AudioId, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import build_index
from mfcc_assets.pipeline.publication import roll_back
from mfcc_assets.pipeline.stages import coverage_of, files_of_stage, size_of_next_stage
from mfcc_assets.settings import Settings
from mfcc_assets.storage.sql.records import Observed, Soundtrack
from mfcc_assets_tests.ranked_library import add_tracks, publish


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"first_index_tracks": 3})


def test_every_stage_doubles_the_index_after_the_first(library: Library) -> None:
    sizes = [size_of_next_stage(library)]
    for numbers in (range(3), range(3, 6), range(6, 12)):
        add_tracks(library, *numbers)
        publish(library)
        sizes.append(size_of_next_stage(library))

    assert sizes == [3, 3, 6, 12]


def test_a_stage_that_was_killed_is_completed_by_the_next_run(library: Library) -> None:
    add_tracks(library, 0, 1)
    assert size_of_next_stage(library) == 1
    add_tracks(library, 2)
    assert size_of_next_stage(library) == 0, "an index is built before more files are analysed"
    build_index(library)
    assert size_of_next_stage(library) == 3


def test_an_index_that_was_withdrawn_does_not_hold_up_the_load(library: Library) -> None:
    for numbers in (range(3), range(3, 6)):
        add_tracks(library, *numbers)
        publish(library)
    roll_back(library)

    assert size_of_next_stage(library) == 6


@pytest.mark.parametrize(("waiting", "size"), [(10, 10), (11, 11), (12, 10)])
def test_the_last_stage_takes_the_few_files_that_it_would_leave(library: Library, waiting: int, size: int) -> None:
    with Library(library.settings.model_copy(update={"first_index_tracks": 10})) as loaded:
        add_waiting(loaded, waiting)

        assert size_of_next_stage(loaded) == size


@given(st.sets(st.integers(0, 99), min_size=1), st.integers(0, 20), st.integers(0, 20))
def test_a_stage_that_goes_on_takes_the_same_files_as_one_that_was_not_interrupted(
    numbers: set[int], done: int, rest: int
) -> None:
    waiting = {f"{number}": [_waiting(number)] for number in numbers}
    whole = files_of_stage(waiting, done + rest)
    begun = files_of_stage(waiting, done)
    remaining = {digest: tracks for digest, tracks in waiting.items() if digest not in begun}

    assert len(whole) == min(done + rest, len(numbers))
    assert {*begun, *files_of_stage(remaining, rest)} == {*whole}
    assert {*files_of_stage(waiting, None)} == {*waiting}


def test_files_that_were_analysed_before_belong_to_every_stage() -> None:
    waiting = {"new": [_waiting(1)], "retagged": [_waiting(2, audio_id=AudioId("known"))]}

    assert {*files_of_stage(waiting, 0)} == {"retagged"}


def test_coverage_counts_the_tracks_of_an_index_and_those_that_will_come(library: Library) -> None:
    add_tracks(library, 0, 1, 2)
    index, _ = publish(library)
    assert not coverage_of(library, index).is_partial
    add_tracks(library, 3)
    add_waiting(library, 2_000)

    coverage = coverage_of(library, index)

    assert (coverage.indexed, coverage.expected, coverage.is_partial) == (3, 2_004, True)
    assert str(coverage) == "3 of 2,004 tracks"


def add_waiting(library: Library, count: int) -> None:
    files = [Observed(f"waiting-{number}.flac", "etag", 1, f"{number}", Tags(), "") for number in range(count)]
    library.catalogue.record_observed(files, [], shard_digits=1, run_id="run")


def _waiting(number: int, audio_id: AudioId | None = None) -> Soundtrack:
    name = f"{number}.flac"
    return Soundtrack(track_id(name), name, 1, "new", "", "", "", "", "", audio_id, None, None, "")
