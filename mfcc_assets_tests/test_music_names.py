"""Names of music, and of what is no music."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.music_names import (
    COMPANION_SUFFIXES,
    COMPANIONS,
    FOLDERS,
    HIDDEN,
    UNFINISHED,
    is_companion,
    kind_of_name,
    unmistakable,
)

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


SKIPPED_FILES = {
    HIDDEN: [
        ".hidden.mp3",
        "a/._song.mp3",
        ".Trash-1000/files/song.mp3",
        "Music/.stversions/song~20240101-120000.mp3",
        "Music/.sync/Archive/song.mp3",
        ".git/objects/song.mp3",
        "a/#recycle/song.mp3",
        "a/#Recycle/song.mp3",
        "@eaDir/song.mp3/SYNOAUDIO_01APIC_03.jpg",
        "@EADIR/song.mp3",
        "a/.AppleDouble/song.mp3",
        "__MACOSX/a/song.mp3",
        "$RECYCLE.BIN/S-1-5/$R1.mp3",
        "System Volume Information/song.mp3",
        "lost+found/#12345/song.mp3",
        "@Recycle/song.mp3",
        ".@__thumb/song.mp3",
        ".snapshot/daily/song.mp3",
        "song.mp3@SynoEAStream",
        ".syncthing.01 song.mp3.tmp",
        ".01 song.mp3.Xy12ab",
        "RECYCLER/S-1-5/Dc1.mp3",
        "Recycled/Dc1.mp3",
        "FOUND.000/song.mp3",
        "Network Trash Folder/song.mp3",
        "Temporary Items/song.mp3",
        "#appledesktop/song.mp3",
        "@sharebin/song.mp3",
        "@Trash/song.mp3",
        "~snapshot/daily/song.mp3",
        ".snapshots/1/song.mp3",
        "LOST.DIR/song.mp3",
        "trashbox/song.mp3",
    ],
    UNFINISHED: [
        "song.mp3.part",
        "song.part",
        "SONG.MP3.PART",
        "song.webm.part-Frag12",
        "song.mp3.crdownload",
        "Unconfirmed 12345.crdownload",
        "a/song.tmp",
        "song.mp3.!qB",
        "song.mp3.!ut",
        "song.mp3.bc!",
        "song.mp3.download",
        "song.mp3.download/song.mp3",
        "song.mp3.opdownload",
        "song.mp3.aria2",
        "song.mp3.filepart",
        "song.mp3.partial",
        "~$song.mp3",
        "song.mp3~",
        "INCOMPLETE~song.mp3",
        "incomplete~12345~song.mp3",
        "__INCOMPLETE__song.mp3",
        "T-5763072-song.mp3",
        "_UNPACK_Album/song.mp3",
        "song.mp3.bak",
        "song.OLD",
        "song.mp3.unconfirmed",
        "song.mp3.fdmdownload",
        "song.mp3.baiduyun.downloading",
        "song.mp3.xltd.cfg",
        "song.mp3.az!",
        "song.mp3.SyncPart",
        "song.mp3.tmp.driveupload",
        "song.mp3.tmp1234",
        "song.temp.m4a",
        "song.mp3.crswap",
        "song.mp3.sb-1f2e3d4c-aBcDeF",
    ],
    COMPANIONS: [
        "cover.JPG",
        "album/Folder.jpeg",
        "list.m3u8",
        "Thumbs.db",
        "notes.txt",
        "cover.jpg.",
        "song.mp3.lnk",
        "Album.torrent",
    ],
    FOLDERS: ["Album_$folder$"],
}

MUSIC = [
    "song.mp3",
    "song",
    "song.jpg.mp3",
    "jpg",
    "song.xyz",
    "cover.jpg/song",
    "song.",
    "Part/01.part two.mp3",
    "Vol.Part/song.mp3",
    "tmp/song.mp3",
    "download/part.mp3",
    "Free.Download/song.mp3",
    "lost+found.mp3",
    "...And Justice for All/01.mp3",
    "...Baby One More Time.mp3",
    ".38 Special/01.mp3",
    "#recycle bin blues/01.mp3",
    "song~.mp3",
    "Incomplete/song.mp3",
    "Incomplete.mp3",
    "Trash/song.mp3",
    "Snapshot/song.mp3",
    "@ the Hop/song.mp3",
    "#1 Record/song.mp3",
    "T-Bone Walker - T-Bone Blues.mp3",
    "Old.mp3",
    "Oh.No!",
]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in SKIPPED_FILES.items() for name in names])
def test_what_is_no_music_by_its_name_is_skipped(kind: str, name: str) -> None:
    assert kind_of_name(name) == kind
    assert kind_of_name(f"below/another/{name}") == kind
    assert kind_of_name(unmistakable(name)) is None


@pytest.mark.parametrize("name", MUSIC)
def test_every_other_file_is_tried(name: str) -> None:
    assert kind_of_name(name) is None
    assert unmistakable(name) == name


@given(NAMES, st.sampled_from(sorted(COMPANION_SUFFIXES)))
def test_the_suffix_alone_makes_a_companion_in_small_and_capital_letters(stem: str, suffix: str) -> None:
    assert is_companion(f"{stem}{suffix}")
    assert is_companion(f"{stem}{suffix.upper()}")


@given(NAMES)
def test_an_unmistakable_name_is_tried_and_stays_unchanged(name: str) -> None:
    changed = unmistakable(name)
    assert kind_of_name(changed) is None
    assert unmistakable(changed) == changed
