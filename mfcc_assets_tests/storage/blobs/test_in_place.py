"""Music that stays where it is: what a store of folders in place reads, what it refuses, and what is away."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mfcc_assets.errors import BlobNameError, BlobNotFound
from mfcc_assets.music_names import HIDDEN
from mfcc_assets.storage.blobs.in_place import InPlaceBlobs
from mfcc_assets.storage.blobs.music_folders import MusicFolders
from mfcc_assets.storage.blobs.port import (
    AWAY,
    BROKEN_LINKS,
    OF_THE_LIBRARY,
    SHADOWED,
    SOUNDTRACKS,
    TAKEN_ALREADY,
)
from mfcc_assets_tests.ordinary_user import as_ordinary_user
from mfcc_assets_tests.storage.blobs.samples import BAD_NAMES, KEY


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Write a song into a subfolder of the folder that `in_place_blobs` has in place."""
    folder = tmp_path / "music"
    write(folder / "album/song.mp3", b"sound")
    return folder


def write(path: Path, content: bytes = b"1") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def listed(blobs: InPlaceBlobs, prefix: str = "") -> tuple[list[str], dict[str, list[str]]]:
    """Return the names of the soundtracks, and the names of what is skipped by kind."""
    skipped: dict[str, list[str]] = {}
    found = blobs.list(SOUNDTRACKS, prefix, on_skipped=lambda name, kind: skipped.setdefault(kind, []).append(name))
    return [blob.name for blob in found], skipped


class TestReading:
    @pytest.mark.usefixtures("music")
    def test_soundtracks_are_those_of_the_library_and_those_in_place(self, in_place_blobs) -> None:
        in_place_blobs.write(SOUNDTRACKS, "own/song.mp3", b"1")
        assert listed(in_place_blobs) == (["own/song.mp3", "music/album/song.mp3"], {})
        assert listed(in_place_blobs, "music/al") == (["music/album/song.mp3"], {})
        assert list(in_place_blobs.list("uploads")) == []

    def test_a_soundtrack_in_place_is_read_like_every_other(self, in_place_blobs, music) -> None:
        name = "music/album/song.mp3"
        blob = in_place_blobs.stat(SOUNDTRACKS, name)
        assert (blob.name, blob.size) == (name, 5)
        assert [blob] == list(in_place_blobs.list(SOUNDTRACKS))
        assert in_place_blobs.read(SOUNDTRACKS, name) == b"sound"
        with in_place_blobs.open(SOUNDTRACKS, name) as file:
            assert file.seek(2) == 2
            assert file.read() == b"und"
        with in_place_blobs.as_file(SOUNDTRACKS, name) as path:
            assert path == in_place_blobs.path(SOUNDTRACKS, name) == music / "album/song.mp3"
        assert in_place_blobs.copy(SOUNDTRACKS, name, "batch", "copy").size == 5

    @pytest.mark.usefixtures("music")
    def test_a_link_opens_a_soundtrack_in_place(self, in_place_blobs) -> None:
        address = urlsplit(in_place_blobs.link(SOUNDTRACKS, "music/album/song.mp3", seconds=60))
        signed = {name: values[0] for name, values in parse_qs(address.query).items()}
        assert in_place_blobs.open_link(SOUNDTRACKS, "music/album/song.mp3", **signed).size == 5

    def test_a_name_may_hold_bytes_that_are_no_text(self, in_place_blobs, music) -> None:
        write(music / "caf\udce9.mp3", b"coffee")
        names, _ = listed(in_place_blobs, "music/caf")
        assert [in_place_blobs.read(SOUNDTRACKS, name) for name in names] == [b"coffee"]

    @pytest.mark.usefixtures("music")
    def test_a_missing_soundtrack_is_not_found(self, in_place_blobs) -> None:
        for name in ("music/none.mp3", "music/album", "music/album/song.mp3/x", "music"):
            with pytest.raises(BlobNotFound):
                in_place_blobs.stat(SOUNDTRACKS, name)

    @pytest.mark.parametrize(
        "name", [name for name in BAD_NAMES if name and not name.startswith(("/", ".mfcc", ".MFCC"))]
    )
    @pytest.mark.usefixtures("music")
    def test_a_bad_name_is_refused(self, in_place_blobs, name: str) -> None:
        with pytest.raises(BlobNameError):
            in_place_blobs.read(SOUNDTRACKS, f"music/{name}")

    def test_a_folder_that_is_added_by_another_process_is_found_at_once(self, in_place_blobs, tmp_path: Path) -> None:
        write(tmp_path / "more/song.mp3")
        home = tmp_path / "in place"
        MusicFolders(home, home / "blobs/soundtracks").add([tmp_path / "more"])
        assert listed(in_place_blobs)[0] == ["more/song.mp3"]


class TestWriting:
    def test_nothing_in_place_is_written_or_deleted(self, in_place_blobs, music) -> None:
        for call in (
            lambda: in_place_blobs.write(SOUNDTRACKS, "music/album/song.mp3", b"2"),
            lambda: in_place_blobs.create(SOUNDTRACKS, "music/new.mp3", b"2"),
            lambda: in_place_blobs.upload_file(SOUNDTRACKS, "music/new.mp3", music / "album/song.mp3"),
            lambda: in_place_blobs.writing(SOUNDTRACKS, "music/new.mp3").__enter__(),
            lambda: in_place_blobs.delete(SOUNDTRACKS, "music/album/song.mp3"),
        ):
            with pytest.raises(BlobNameError, match=r"music is used in place and never changed"):
                call()
        assert [path.name for path in music.rglob("*")] == ["album", "song.mp3"]
        assert in_place_blobs.read(SOUNDTRACKS, "music/album/song.mp3") == b"sound"

    @pytest.mark.usefixtures("music")
    def test_other_containers_may_have_the_name_of_a_folder_in_place(self, in_place_blobs) -> None:
        in_place_blobs.write("batch", "music/album/song.mp3", b"other")
        assert in_place_blobs.read("batch", "music/album/song.mp3") == b"other"

    @pytest.mark.usefixtures("music")
    def test_a_folder_of_the_library_that_gets_the_name_of_a_folder_in_place_is_told(
        self, in_place_blobs, tmp_path: Path
    ) -> None:
        write(tmp_path / "in place/blobs/soundtracks/music/hidden.mp3")
        assert listed(in_place_blobs) == (["music/album/song.mp3"], {SHADOWED: ["music/hidden.mp3"]})


class TestLinks:
    def test_links_are_followed_once_and_lead_round_in_no_loop(self, in_place_blobs, music, tmp_path: Path) -> None:
        write(tmp_path / "elsewhere/disc/song.mp3")
        (tmp_path / "elsewhere/back").symlink_to(music)
        for name, target in (
            ("a", "../elsewhere"),
            ("b", "../elsewhere"),
            ("loop", "."),
            ("copy.mp3", "album/song.mp3"),
        ):
            (music / name).symlink_to(target)
        (music / "gone").symlink_to("/nowhere/at/all")
        names, skipped = listed(in_place_blobs)
        assert names == ["music/album/song.mp3", "music/a/disc/song.mp3"]
        assert sorted(skipped.pop(TAKEN_ALREADY)) == ["music/a/back", "music/b", "music/copy.mp3", "music/loop"]
        assert skipped == {BROKEN_LINKS: ["music/gone"]}
        assert in_place_blobs.read(SOUNDTRACKS, "music/a/disc/song.mp3") == b"1"

    def test_a_link_of_the_library_to_a_folder_in_place_takes_nothing_twice(
        self, in_place_blobs, music, tmp_path: Path
    ) -> None:
        (tmp_path / "in place/blobs/soundtracks/linked").symlink_to(music)
        assert listed(in_place_blobs) == (["music/album/song.mp3"], {TAKEN_ALREADY: ["linked"]})

    def test_a_folder_around_the_library_does_not_take_the_library_into_itself(self, tmp_path: Path) -> None:
        home = tmp_path / "all/mfcc_data"
        write(tmp_path / "all/song.mp3")
        write(home / "blobs/uploads/private.mp3")
        folders = MusicFolders(home, home / "blobs/soundtracks", [tmp_path / "all"])
        assert listed(InPlaceBlobs(home / "blobs", lambda: KEY, folders)) == (
            ["all/song.mp3"],
            {OF_THE_LIBRARY: ["all/mfcc_data"]},
        )

    def test_hidden_folders_are_not_entered(self, in_place_blobs, music) -> None:
        write(music / ".Trash-1000/song.mp3")
        assert listed(in_place_blobs) == (["music/album/song.mp3"], {HIDDEN: ["music/.Trash-1000"]})


class TestAway:
    @pytest.mark.parametrize("state", ["missing", "empty", "a file", "without music"])
    def test_a_folder_that_has_no_music_is_away(self, in_place_blobs, tmp_path: Path, state: str) -> None:
        folder = tmp_path / "music"
        if state in ("missing", "a file"):
            folder.rmdir()
        if state == "a file":
            folder.touch()
        if state == "without music":
            write(folder / "cover.jpg")
        names, skipped = listed(in_place_blobs)
        assert (names, skipped[AWAY]) == ([], ["music"])
        assert not in_place_blobs.exists(SOUNDTRACKS, "music/album/song.mp3")

    def test_what_may_not_be_read_is_away_and_the_rest_is_listed(self, in_place_blobs, music) -> None:
        closed = write(music / "closed/song.mp3").parent
        closed.chmod(0)
        with as_ordinary_user():
            assert listed(in_place_blobs) == (["music/album/song.mp3"], {AWAY: ["music/closed"]})
            with pytest.raises(BlobNotFound, match="it is away"):
                in_place_blobs.stat(SOUNDTRACKS, "music/closed/song.mp3")
        closed.chmod(0o755)

    def test_a_folder_that_goes_while_it_is_listed_is_away(self, in_place_blobs, music, tmp_path: Path) -> None:
        write(music / "b/song.mp3")
        skipped: list[tuple[str, str]] = []
        names = []
        for blob in in_place_blobs.list(SOUNDTRACKS, on_skipped=lambda *entry: skipped.append(entry)):
            names.append(blob.name)
            music.rename(tmp_path / "unmounted")
        assert names == ["music/album/song.mp3"]
        assert skipped == [("music", AWAY)]

    def test_a_folder_that_may_be_read_but_not_written_is_not_away(self, in_place_blobs, music) -> None:
        music.chmod(0o555)
        with as_ordinary_user():
            assert listed(in_place_blobs) == (["music/album/song.mp3"], {})
        music.chmod(0o755)
