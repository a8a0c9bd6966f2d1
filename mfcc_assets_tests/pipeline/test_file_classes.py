"""Which recommendations are of the query's own format or bit rate."""

import numpy as np
import pytest

from mfcc_assets.audio.tags import Tags
from mfcc_assets.evaluation.metrics import OfOwnClass, RankedIds
from mfcc_assets.evaluation.row_metrics import RowLists
from mfcc_assets.ids import AudioId, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.file_classes import classes_of_bit_rates, classes_of_formats, of_own_file_class
from mfcc_assets.storage.sql.records import AudioContent, Credit, Observed
from mfcc_assets_tests.ranked_library import audio_id

SECONDS = 100.0


def add_file(library: Library, number: int, name: str, kbit_per_second: float, seconds: float = SECONDS) -> AudioId:
    """Add an analysed track of this name and bit rate."""
    size = round(kbit_per_second * 1000 / 8 * SECONDS)
    file = Observed(name, "etag", size, f"{number:032x}", Tags(), "")
    library.catalogue.record_observed([file], [], shard_digits=library.settings.shard_digits, run_id="run")
    content = AudioContent(file.content_digest, audio_id(number), seconds, "")
    library.catalogue.record_content(content, track_id=track_id(name))
    return audio_id(number)


def test_recommendations_that_follow_the_format_are_told_from_those_by_chance(library: Library) -> None:
    flacs = [add_file(library, number, f"a/{number}.FLAC", 900) for number in range(3)]
    mp3s = [add_file(library, number, f"b.c/{number}.mp3", 128) for number in range(3, 7)]
    unnamed = add_file(library, 7, "b.c/song", 128)
    ranked = {track: [other for other in flacs if other != track] for track in flacs}
    ranked |= {track: [flacs[0], *(other for other in mp3s if other != track)] for track in mp3s}
    ranked |= {unnamed: flacs[:1]}

    mp3, flac, other = classes_of_formats(*rows_of(library, ranked))

    assert [(found.name, found.tracks) for found in (mp3, flac, other)] == [("mp3", 4), ("flac", 3), ("no suffix", 1)]
    assert figures(mp3.own) == pytest.approx((4, 3 / 4, 3 / 7))
    assert figures(flac.own) == pytest.approx((3, 1.0, 2 / 7))
    assert figures(other.own) == (1, 0.0, 0.0)
    of_all = of_own_file_class([mp3, flac, other])
    assert figures(of_all) == pytest.approx((8, (4 * 3 / 4 + 3) / 8, (4 * 3 / 7 + 3 * 2 / 7) / 8))


def rows_of(library: Library, ranked: RankedIds[AudioId]) -> tuple[RowLists, list[Credit]]:
    """Return the lists in rows, and the files of the tracks."""
    rows = {track: row for row, track in enumerate(ranked)}
    lists = np.full((len(ranked), len(ranked)), -1, np.int32)
    for track, others in ranked.items():
        lists[rows[track], : len(others)] = [rows[other] for other in others]
    credited = library.catalogue.credits()
    return RowLists(lists, np.ones(len(ranked), np.bool_)), [credited[track] for track in ranked]


def figures(own: OfOwnClass | None) -> tuple[float, float, float]:
    assert own is not None
    return own.queries, own.same, own.by_chance


@pytest.mark.parametrize(
    ("kbit_per_second", "name"),
    [
        (64, "up to 80 kbit/s"),
        (96, "80 to 112 kbit/s"),
        (131, "112 to 160 kbit/s"),
        (192, "160 to 224 kbit/s"),
        (256, "224 to 288 kbit/s"),
        (325, "288 to 450 kbit/s"),
        (900, "above 450 kbit/s"),
    ],
)
def test_usual_bit_rates_are_classes_of_their_own(library: Library, kbit_per_second: float, name: str) -> None:
    track = add_file(library, 0, "song.mp3", kbit_per_second)
    assert [found.name for found in classes_of_bit_rates(*rows_of(library, {track: []}))] == [name]


def test_without_a_length_there_is_no_bit_rate_and_without_recommendations_no_share(library: Library) -> None:
    track = add_file(library, 0, "song.mp3", 128, seconds=0.0)
    assert classes_of_bit_rates(*rows_of(library, {track: []})) == []
    assert classes_of_formats(*rows_of(library, {track: []}))[0].own is None
    assert of_own_file_class(classes_of_formats(*rows_of(library, {track: []}))) is None
