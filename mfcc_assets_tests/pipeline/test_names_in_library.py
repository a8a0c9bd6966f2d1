"""Names of files in the library: each is free, and no two fall together on any file system."""

import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.music_names import kind_of_name
from mfcc_assets.pipeline.names_in_library import NamesInLibrary
from mfcc_assets.storage.blobs.names import check_name

SEGMENTS = st.sampled_from(
    ["a", "A", "é", "e\u0301", "CD1", "#recycle", ".a", "a\x01", "x.mp3", "X.mp3", "\x02.mp3", "b\\c"]
)
FILES = st.lists(SEGMENTS, min_size=1, max_size=4).map(lambda parts: Path("/", *parts))


@given(st.lists(st.tuples(FILES, st.integers(0, 4)), max_size=12))
def test_every_file_gets_a_name_of_its_own_that_is_listed_as_music(files: list[tuple[Path, int]]) -> None:
    names = NamesInLibrary([])
    given_names: list[str] = []
    for file, depth in files:
        root = list(file.parents)[depth] if depth < len(file.parents) else None
        name = names.free_name(file, root)
        check_name(name)
        assert kind_of_name(name) is None
        names.take(name, file)
        given_names.append(name)
    keys = [unicodedata.normalize("NFC", name.casefold()) for name in given_names]
    assert len(set(keys)) == len(keys)
    assert not any(other.startswith(f"{key}/") for key in keys for other in keys)


def test_a_folder_that_refuses_files_is_given_up() -> None:
    names = NamesInLibrary(["Music/song.mp3"])
    names.take("Music/song.mp3", Path("/home/me/Music/song.mp3"))
    file, root = Path("/home/me/Music/new.mp3"), Path("/home/me/Music")
    assert names.free_name(file, root) == "Music/new.mp3"
    names.refuse("Music/new.mp3")
    assert names.free_name(file, root) == "me/Music/new.mp3"
