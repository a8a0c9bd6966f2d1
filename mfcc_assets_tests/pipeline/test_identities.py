"""Renamed and moved files stay the same soundtracks, and copies do not take their places."""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.ids import TrackId, track_id
from mfcc_assets.library import Library
from mfcc_assets.pipeline.identities import pairs_of_names
from mfcc_assets.pipeline.observe import Observation, observe_soundtracks
from mfcc_assets.pipeline.soundtracks import analyse_soundtracks
from mfcc_assets.storage.sql.added_files import AddedFile
from mfcc_assets_tests.audio_samples import retag, write_tone

NAMES = st.dictionaries(st.text("ab/", min_size=1, max_size=6), st.sampled_from("xyz"), max_size=8)


@pytest.fixture
def music(library: Library, tmp_path: Path) -> Path:
    """Make a folder in place with the songs a, b and c, which the library knows and has analysed."""
    folder = tmp_path / "Music"
    folder.mkdir()
    for number, name in enumerate("abc"):
        write_tone(folder / f"{name}.flac", 1.0 + number / 10)
        retag(folder / f"{name}.flac", title=f"Song {name}")
    library.music_folders.add([folder])
    look(library)
    return folder


def look(library: Library) -> Observation:
    """Observe all soundtracks, and analyse those that are new or changed."""
    observation = observe_soundtracks(library, library.shards, run_id="run")
    analyse_soundtracks(library, library.shards, run_id="run")
    return observation


def ids(library: Library) -> dict[str, TrackId]:
    """Return the id of each soundtrack by its name, without the label of its folder and without the suffix."""
    return {
        name.partition("/")[2].removesuffix(".flac"): track for name, track in library.catalogue.track_ids().items()
    }


def test_a_renamed_file_keeps_its_row_and_its_artwork(library: Library, music: Path) -> None:
    before = ids(library)
    (music / "album").mkdir()
    (music / "a.flac").rename(music / "album/first.flac")
    observation = look(library)
    assert observation.former_names == {"Music/album/first.flac": "Music/a.flac"}
    assert ids(library) == {"album/first": before["a"], "b": before["b"], "c": before["c"]}
    assert {track.state for track in library.catalogue.soundtracks()} == {"analysed"}
    artworks = {blob.name for blob in library.blobs.list("artworks")}
    assert artworks == {track.artwork for track in library.catalogue.soundtracks()}


def test_a_file_keeps_its_id_through_many_names_and_back_to_its_first_one(library: Library, music: Path) -> None:
    before = ids(library)
    for former, name in (("a", "x"), ("x", "y"), ("y", "a")):
        (music / f"{former}.flac").rename(music / f"{name}.flac")
        look(library)
        assert ids(library)[name] == before["a"]


def test_a_renamed_folder_keeps_the_ids_of_all_its_files(library: Library, music: Path) -> None:
    before = ids(library)
    (music / "album").mkdir()
    for name in "abc":
        (music / f"{name}.flac").rename(music / f"album/{name}.flac")
    look(library)
    assert ids(library) == {f"album/{name}": track for name, track in before.items()}


def test_a_file_moved_between_folders_in_place_and_into_the_library_keeps_its_id(
    library: Library, music: Path, tmp_path: Path
) -> None:
    before = ids(library)
    other, own = tmp_path / "Other", library.settings.blobs / "soundtracks"
    other.mkdir()
    write_tone(other / "more.flac", 2.0)
    library.music_folders.add([other])
    (music / "a.flac").rename(other / "a.flac")
    (music / "b.flac").rename(own / "b.flac")
    look(library)
    names = library.catalogue.track_ids()
    assert (names["Other/a.flac"], names["b.flac"], names["Music/c.flac"]) == tuple(before[name] for name in "abc")


def test_files_that_exchange_their_names_keep_their_ids(library: Library, music: Path) -> None:
    before = ids(library)
    for former, name in (("a", "x"), ("b", "a"), ("c", "b"), ("x", "c")):
        (music / f"{former}.flac").rename(music / f"{name}.flac")
    look(library)
    assert ids(library) == {"c": before["a"], "a": before["b"], "b": before["c"]}


def test_a_name_that_is_used_again_names_a_new_soundtrack(library: Library, music: Path) -> None:
    before = ids(library)
    (music / "a.flac").rename(music / "x.flac")
    write_tone(music / "a.flac", 3.0)
    look(library)
    now = ids(library)
    assert now.pop("x") == before["a"]
    assert now.pop("a") not in before.values()
    assert now == {"b": before["b"], "c": before["c"]}
    (music / "a.flac").unlink()
    look(library)
    assert ids(library) == {"x": before["a"], "b": before["b"], "c": before["c"]}


def test_other_content_under_a_name_is_the_same_soundtrack_if_its_former_content_is_nowhere(
    library: Library, music: Path
) -> None:
    before = ids(library)
    write_tone(music / "a.flac", 3.0)
    assert look(library).difference.changed == ("Music/a.flac",)
    assert ids(library) == before


def test_a_file_that_overwrites_another_one_keeps_its_id_and_the_other_soundtrack_is_gone(
    library: Library, music: Path
) -> None:
    before = ids(library)
    (music / "a.flac").replace(music / "b.flac")
    look(library)
    assert ids(library) == {"b": before["a"], "c": before["c"]}


def test_a_copy_does_not_take_the_place_of_a_file_that_is_still_there(library: Library, music: Path) -> None:
    before = ids(library)
    (music / "copy.flac").write_bytes((music / "a.flac").read_bytes())
    look(library)
    copied = ids(library)
    assert {name: copied[name] for name in "abc"} == before
    (music / "a.flac").unlink()
    look(library)
    assert ids(library)["copy"] == copied["copy"], "both were there, so the copy stays what it is"


def test_a_file_that_is_tagged_beside_a_copy_of_its_former_bytes_keeps_its_id(library: Library, music: Path) -> None:
    before = ids(library)
    (music / "backup.flac").write_bytes((music / "a.flac").read_bytes())
    retag(music / "a.flac", title="Another title, which is a little longer")
    look(library)
    assert ids(library)["a"] == before["a"]
    assert ids(library)["backup"] not in before.values()


def test_a_file_that_is_tagged_and_renamed_keeps_its_id(library: Library, music: Path) -> None:
    before = ids(library)
    (music / "a.flac").rename(music / "x.flac")
    retag(music / "x.flac", title="Another title, which is a little longer")
    observation = look(library)
    assert observation.former_names == {"Music/x.flac": "Music/a.flac"}
    assert ids(library)["x"] == before["a"]
    titles = {track.track_id: (track.title, track.state) for track in library.catalogue.soundtracks()}
    assert titles[before["a"]] == ("Another title, which is a little longer", "analysed")


def test_another_file_does_not_take_the_place_of_one_that_is_gone(library: Library, music: Path) -> None:
    before = ids(library)
    (music / "a.flac").unlink()
    write_tone(music / "x.flac", 3.0)
    look(library)
    assert ids(library)["x"] not in before.values()
    assert "a" not in ids(library)


def test_files_of_a_folder_that_is_away_are_not_taken_for_moved(library: Library, music: Path, tmp_path: Path) -> None:
    before = library.catalogue.track_ids()
    backup = tmp_path / "Backup"
    music.rename(backup)
    library.music_folders.add([backup])
    look(library)
    after = library.catalogue.track_ids()
    assert len(after) == 6
    assert before.items() <= after.items()


def test_a_reject_that_is_renamed_keeps_its_id_and_its_reason_has_the_new_name(library: Library, music: Path) -> None:
    (music / "damaged.mp3").write_bytes(b"not music")
    look(library)
    (before,) = library.catalogue.rejects()
    (music / "damaged.mp3").rename(music / "broken.mp3")
    look(library)
    (after,) = library.catalogue.rejects()
    assert (after.subject_id, after.blob_name) == (before.subject_id, "Music/broken.mp3")
    assert after.reason.startswith("Music/broken.mp3: ")


def test_the_run_of_any_shard_keeps_the_ids_of_renamed_files(library: Library, music: Path) -> None:
    before = ids(library)
    for former, name in (("a", "x"), ("b", "a"), ("c", "b")):
        (music / f"{former}.flac").rename(music / f"{name}.flac")
    for shard in library.shards:
        observe_soundtracks(library, [shard], run_id="run")
    assert ids(library) == {"x": before["a"], "a": before["b"], "b": before["c"]}


def test_a_file_that_was_copied_into_the_library_and_renamed_there_is_still_known(
    library: Library, tmp_path: Path
) -> None:
    song = write_tone(tmp_path / "song.flac", 1.0)
    library.blobs.upload_file("soundtracks", "song.flac", song)
    library.added_files.record(AddedFile("song.flac", "file:///song.flac", "digest", 1.0))
    look(library)
    own = library.settings.blobs / "soundtracks"
    os.rename(own / "song.flac", own / "renamed.flac")  # noqa: PTH104
    look(library)
    assert library.added_files.every() == [AddedFile("renamed.flac", "file:///song.flac", "digest", 1.0)]

    library.blobs.upload_file("soundtracks", "song.flac", write_tone(tmp_path / "other.flac", 2.0))
    library.added_files.record(AddedFile("song.flac", "file:///other.flac", "digest 2", 2.0))
    look(library)
    assert [added.source for added in library.added_files.every()] == ["file:///song.flac", "file:///other.flac"]
    assert library.catalogue.track_ids()["renamed.flac"] == track_id("song.flac")


@pytest.mark.parametrize(
    ("former", "present", "expected"),
    [
        ({"a": "x"}, {"b": "x"}, {"b": "a"}),
        ({"a": "x"}, {"b": "y"}, {}),
        ({"a": "x", "b": "x"}, {"c": "x"}, {"c": "a"}),
        ({"a": "x"}, {"b": "x", "c": "x"}, {"b": "a"}),
        ({"1/a": "x", "1/b": "x"}, {"2/a": "x", "2/b": "x"}, {"2/a": "1/a", "2/b": "1/b"}),
        ({"1/s/a": "x", "2/t/a": "x"}, {"new/t/a": "x", "old/s/a": "x"}, {"new/t/a": "2/t/a", "old/s/a": "1/s/a"}),
    ],
)
def test_names_are_paired_by_content_and_then_by_the_end_of_the_path(former, present, expected) -> None:
    assert pairs_of_names(former, present) == expected


@given(NAMES, NAMES)
def test_as_many_names_are_paired_as_there_are_files_of_the_same_content(
    former: dict[str, str], present: dict[str, str]
) -> None:
    pairs = pairs_of_names(former, present)
    assert all(former[one] == present[name] for name, one in pairs.items())
    assert len(set(pairs.values())) == len(pairs)
    common = Counter(former.values()) & Counter(present.values())
    assert len(pairs) == common.total()
