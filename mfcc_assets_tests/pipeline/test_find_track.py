"""Finding the track that a reader names."""

import unicodedata
from typing import Any

import pytest

from mfcc_assets.audio.tags import Tags
from mfcc_assets.errors import FeaturesMissing, TrackNotFound
from mfcc_assets.ids import track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.find_track import audio_in_index, find_track
from mfcc_assets.storage.sql.records import Observed, Reject
from mfcc_assets_tests.ranked_library import add_tracks, audio_id, publish

FILES = {
    "Will Savino/palace.ogg": "Palace",
    "Jordan/story.ogg": "Story",
    "Jordan/story-2.ogg": "Story of a Boy",
    "live/a.ogg": "Night",
    "studio/a.ogg": "Night",
}


@pytest.fixture
def titled(library: Library) -> Library:
    """A library with five tracks, two of which have the same title."""
    files = [Observed(name, "etag", 1, name, Tags(title=title), "") for name, title in FILES.items()]
    library.catalogue.record_observed(files, [], shard_digits=1, run_id="run")
    return library


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (track_id("Jordan/story.ogg"), "Jordan/story.ogg"),
        ("Jordan/story.ogg", "Jordan/story.ogg"),
        ("Palace", "Will Savino/palace.ogg"),
        ("  pALaCe ", "Will Savino/palace.ogg"),
        ("alac", "Will Savino/palace.ogg"),
        ("savino", "Will Savino/palace.ogg"),
        ("boy", "Jordan/story-2.ogg"),
        ("story", "Jordan/story.ogg"),
        ("live/", "live/a.ogg"),
    ],
)
def test_a_track_is_found_by_id_by_file_by_title_or_by_a_part_of_them(titled: Library, text: str, name: str) -> None:
    assert find_track(titled, text).blob_name == name


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_a_title_and_a_file_are_found_in_any_unicode_form(library: Library, form: Any, stored: Any) -> None:
    name, title = unicodedata.normalize(stored, "Zoë/été.ogg"), unicodedata.normalize(stored, "Café Ｎｏｉｒ")
    file = Observed(name, "etag", 1, "digest", Tags(title=title), "")
    library.catalogue.record_observed([file], [], shard_digits=1, run_id="run")
    for text in ("Café Noir", "CAFÉ", "zoë/été.ogg", "été"):
        assert find_track(library, unicodedata.normalize(form, text)).blob_name == name


@pytest.mark.parametrize("text", ["Ocean", "", "  ", "/home/me/ocean.mp3"])
def test_a_missing_track_is_reported(titled: Library, text: str) -> None:
    with pytest.raises(TrackNotFound) as error:
        find_track(titled, text)
    assert str(error.value) == (
        f"“{text}”: no track of the library has this id, title or file name, "
        "or a title or file name that contains it. "
        "`mfcc library` lists all tracks. Add a file from elsewhere first, with `mfcc add`."
    )


def test_an_ambiguous_name_is_reported_with_the_tracks_that_match(titled: Library) -> None:
    with pytest.raises(TrackNotFound) as error:
        find_track(titled, "night")
    assert str(error.value) == (
        f"“night”: 2 tracks match: Night ({track_id('live/a.ogg')}), Night ({track_id('studio/a.ogg')}). "
        "Give a longer part of the title or the file's name, or the track id."
    )


def test_a_very_ambiguous_name_is_reported_with_only_some_of_the_tracks(titled: Library) -> None:
    files = [Observed(f"{number}.mp3", "etag", 1, str(number), Tags(), "") for number in range(10)]
    titled.catalogue.record_observed(files, [], shard_digits=1, run_id="run")
    with pytest.raises(TrackNotFound, match=r"10 tracks match: 0\.mp3 .*4\.mp3 \(\w+\), …\."):
        find_track(titled, "mp3")


def test_a_track_outside_the_index_is_reported_with_the_reason(library: Library) -> None:
    add_tracks(library, 1, 2)
    index, _ = publish(library)
    add_tracks(library, 3)
    silent = Observed("silent.flac", "etag", 1, "digest", Tags(), "")
    library.catalogue.record_observed([silent], [], shard_digits=1, run_id="run")
    reject = Reject(silent.track_id, "soundtracks", silent.blob_name, "silent", "silent.flac: it has no sound.")
    library.catalogue.record_reject(reject, run_id="run", content_digest="digest")

    assert audio_in_index(index, find_track(library, "1.flac")) == audio_id(1)
    with pytest.raises(FeaturesMissing, match=r"3\.flac: it is not in the index yet\. Materialise the library\."):
        audio_in_index(index, find_track(library, "3.flac"))
    with pytest.raises(FeaturesMissing, match=r"silent\.flac: its audio cannot be used\. `mfcc library` says why\."):
        audio_in_index(index, find_track(library, "silent"))
