"""The ids of MusicBrainz are read where the taggers of people write them, in every kind of tag."""

import struct
import uuid
from pathlib import Path
from typing import Any

import mutagen
import mutagen.apev2
import mutagen.asf
import mutagen.id3
import mutagen.mp4
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.audio.tags import read_tags
from mfcc_assets_tests.audio_samples import write_tone

RECORDING = "5b11f4ce-a62d-471e-81fc-a69a8278c7da"
RELEASE = "1b022e01-4da6-387b-8658-8678046e4cef"  # MusicBrainz made its first ids from names: version 3
ARTISTS = ("a74b1b7f-71a5-4011-9441-d0b5e4122711", "65f4f0c5-ef9e-490c-aee3-909e7ae6b2ab")
OTHER = "c1a2b3c4-0000-4000-8000-00000000000f"
NAMES = ("Track Id", "Album Id", "Artist Id")
"""The names that MusicBrainz Picard writes. In ID3, the recording has a frame of its own."""


def write_id3(path: Path, *frames: mutagen.id3.Frame, version: int = 4) -> Path:
    write_tone(path, 0.2)
    tags = mutagen.id3.ID3()
    for frame in (mutagen.id3.TIT2(encoding=3, text="Ocean"), mutagen.id3.TPE1(encoding=3, text="Anna"), *frames):
        tags.add(frame)
    if version == 3:
        tags.update_to_v23()
    tags.save(path, v2_version=version, v23_sep="/", v1=0)
    return path


def picard_frames() -> list[mutagen.id3.Frame]:
    return [
        mutagen.id3.UFID(owner="http://www.cddb.com/id3/taginfo1.html", data=b"3CD3N29"),
        mutagen.id3.UFID(owner="http://musicbrainz.org", data=RECORDING.encode()),
        mutagen.id3.TXXX(encoding=3, desc="MusicBrainz Album Id", text=RELEASE),
        mutagen.id3.TXXX(encoding=3, desc="MusicBrainz Artist Id", text=list(ARTISTS)),
        mutagen.id3.TXXX(encoding=3, desc="MusicBrainz Release Track Id", text=OTHER),
        mutagen.id3.TXXX(encoding=3, desc="MusicBrainz Album Artist Id", text=OTHER),
    ]


def write_comments(path: Path) -> Path:
    write_tone(path, 0.2, sample_rate=48_000)
    container: Any = mutagen.File(path)
    container.update(
        TITLE="Ocean",
        MUSICBRAINZ_TRACKID=RECORDING,
        MUSICBRAINZ_ALBUMID=RELEASE,
        MUSICBRAINZ_ARTISTID=list(ARTISTS),
        MUSICBRAINZ_RELEASETRACKID=OTHER,
        MUSICBRAINZ_ALBUMARTISTID=OTHER,
    )
    container.save()
    return path


def write_mp4(path: Path) -> Path:
    atoms = ((b"ftyp", b"M4A \0\0\0\0M4A "), (b"moov", b""))
    path.write_bytes(b"".join(struct.pack(">I", 8 + len(body)) + name + body for name, body in atoms))
    container: Any = mutagen.File(path)
    container.add_tags()
    for name, values in zip(NAMES, ((RECORDING,), (RELEASE,), ARTISTS), strict=True):
        atom = f"----:com.apple.iTunes:MusicBrainz {name}"
        container.tags[atom] = [mutagen.mp4.MP4FreeForm(value.encode()) for value in values]
    container.tags["----:com.apple.iTunes:MusicBrainz Release Track Id"] = [mutagen.mp4.MP4FreeForm(OTHER.encode())]
    container.save()
    return path


def write_ape(path: Path) -> Path:
    path.write_bytes(bytes(64))
    tags = mutagen.apev2.APEv2()
    tags.update(MUSICBRAINZ_TRACKID=RECORDING, MUSICBRAINZ_ALBUMID=RELEASE, MUSICBRAINZ_ARTISTID=list(ARTISTS))
    tags.save(path)
    return path


def write_wma(path: Path) -> Path:
    header = uuid.UUID("75B22630-668E-11CF-A6D9-00AA0062CE6C").bytes_le + struct.pack("<QIBB", 30, 0, 1, 2)
    path.write_bytes(header)
    container: Any = mutagen.File(path)
    ids = zip(NAMES, ([RECORDING], [RELEASE], list(ARTISTS)), strict=True)
    container.tags.update({f"MusicBrainz/{name}": values for name, values in ids})
    container.save()
    return path


def written(folder: Path, kind: str) -> Path:
    if kind in {"flac", "ogg", "opus"}:
        return write_comments(folder / f"a.{kind}")
    if kind.startswith("id3"):
        return write_id3(folder / "a.mp3", *picard_frames(), version=int(kind[-1]))
    return {"m4a": write_mp4, "ape": write_ape, "wma": write_wma}[kind](folder / f"a.{kind}")


@pytest.mark.parametrize("kind", ["id3 2.4", "id3 2.3", "flac", "ogg", "opus", "m4a", "ape", "wma"])
def test_recording_release_and_artists_are_read_from_every_kind_of_tag(tmp_path: Path, kind: str) -> None:
    tags = read_tags(written(tmp_path, kind))

    assert (tags.recording_mbid, tags.release_mbid, tags.artist_mbids) == (RECORDING, RELEASE, ARTISTS)


def test_a_recording_without_a_frame_of_its_own_is_read_from_the_free_text(tmp_path: Path) -> None:
    path = write_id3(tmp_path / "a.mp3", mutagen.id3.TXXX(encoding=3, desc="MusicBrainz Track Id", text=RECORDING))

    assert read_tags(path).recording_mbid == RECORDING


def test_the_ids_are_read_beside_frames_that_are_left_out(tmp_path: Path) -> None:
    path = write_id3(tmp_path / "a.mp3", *picard_frames(), mutagen.id3.TMOO(encoding=0, text=["x"] * 40_000))

    tags = read_tags(path)
    assert (tags.recording_mbid, tags.release_mbid, tags.artist_mbids) == (RECORDING, RELEASE, ARTISTS)


@pytest.mark.parametrize(
    "value", ["", "0", "5b11f4ce", RECORDING[:-1], f"{RECORDING}0", str(uuid.UUID(int=0)), "\ufffd"]
)
def test_a_text_that_is_no_id_is_passed_over(tmp_path: Path, value: str) -> None:
    path = write_id3(tmp_path / "a.mp3", mutagen.id3.UFID(owner="http://musicbrainz.org", data=value.encode()))

    tags = read_tags(path)
    assert (tags.recording_mbid, tags.title) == ("", "Ocean")


def test_the_ids_of_a_former_piece_do_not_outlive_its_tags(tmp_path: Path) -> None:
    path = write_id3(tmp_path / "a.mp3")
    former = mutagen.apev2.APEv2()
    former.update(Title="Desert", Artist="Bo", Album="Sand", MUSICBRAINZ_TRACKID=OTHER, MUSICBRAINZ_ARTISTID=OTHER)
    former["MUSICBRAINZ_ALBUMID"] = RELEASE
    former.save(path)

    tags = read_tags(path)
    assert (tags.title, tags.artist, tags.album) == ("Ocean", "Anna", "Sand")
    assert (tags.recording_mbid, tags.artist_mbids, tags.release_mbid) == ("", (), RELEASE)


@given(
    st.lists(st.uuids(version=4), min_size=1, max_size=12, unique=True), st.sampled_from(["/", ";", ", ", " ", "\0"])
)
def test_any_number_of_artists_is_read_however_they_are_joined(
    tmp_path_factory: pytest.TempPathFactory, artists: list[uuid.UUID], separator: str
) -> None:
    text = separator.join(str(artist).upper() for artist in artists)
    folder = tmp_path_factory.mktemp("joined")
    path = write_id3(folder / "a.mp3", mutagen.id3.TXXX(encoding=3, desc="MusicBrainz Artist Id", text=text))

    assert read_tags(path).artist_mbids == tuple(map(str, artists))
