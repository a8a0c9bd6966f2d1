import io
import re
import struct
import unicodedata
import uuid
from dataclasses import replace
from pathlib import Path

import mutagen
import mutagen.apev2
import mutagen.id3
import mutagen.ogg
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.audio.tags import Tags, clean_text, read_tags

WRITTEN = Tags(title="Ocean", artist="Will Savino", album="HyperRogue", genre="Rock", track_number=3, year=2021)


def audio_file(path: Path, **options: str) -> Path:
    soundfile.write(path, np.zeros(4_800), 48_000, **options)
    return path


def tag_easily(path: Path) -> None:
    container = mutagen.File(path, easy=True)
    if container.tags is None:
        container.add_tags()
    container.tags.update(
        {
            "title": "Ocean",
            "artist": "Will Savino",
            "album": "HyperRogue",
            "genre": "Rock",
            "tracknumber": "3/12",
            "date": "2021-05-01",
        }
    )
    container.save()


def tag_with_id3_frames(path: Path) -> None:
    container = mutagen.File(path)
    container.add_tags()
    for frame in (
        mutagen.id3.TIT2(text="Ocean"),
        mutagen.id3.TPE1(text="Will Savino"),
        mutagen.id3.TALB(text="HyperRogue"),
        mutagen.id3.TCON(text="(17)"),
        mutagen.id3.TRCK(text="3/12"),
        mutagen.id3.TDRC(text="2021-05-01"),
    ):
        container.tags.add(frame)
    container.save()


def empty_mp4(path: Path) -> Path:
    atoms = ((b"ftyp", b"M4A \0\0\0\0M4A "), (b"moov", b""))
    path.write_bytes(b"".join(struct.pack(">I", 8 + len(body)) + name + body for name, body in atoms))
    return path


def empty_wma(path: Path) -> Path:
    header_object = uuid.UUID("75B22630-668E-11CF-A6D9-00AA0062CE6C").bytes_le
    path.write_bytes(header_object + struct.pack("<QIBB", 30, 0, 1, 2))
    return path


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg"])
def test_tags_are_read_from_mp3_flac_and_ogg(tmp_path: Path, name: str) -> None:
    path = audio_file(tmp_path / name)
    tag_easily(path)
    assert read_tags(path) == WRITTEN


def test_tags_are_read_from_opus(tmp_path: Path) -> None:
    path = audio_file(tmp_path / "a.opus", format="OGG", subtype="OPUS")
    tag_easily(path)
    assert read_tags(path) == WRITTEN


def test_tags_are_read_from_mp4(tmp_path: Path) -> None:
    path = empty_mp4(tmp_path / "a.m4a")
    tag_easily(path)
    assert read_tags(path) == WRITTEN


@pytest.mark.parametrize("name", ["a.wav", "a.aiff"])
def test_id3_frames_are_read_from_wav_and_aiff(tmp_path: Path, name: str) -> None:
    path = audio_file(tmp_path / name)
    tag_with_id3_frames(path)
    assert read_tags(path) == WRITTEN


def test_tags_are_read_from_wma(tmp_path: Path) -> None:
    path = empty_wma(tmp_path / "a.wma")
    container = mutagen.File(path)
    container.tags.update(
        {
            "Title": "Ocean",
            "Author": "Will Savino",
            "WM/AlbumTitle": "HyperRogue",
            "WM/Genre": "Rock",
            "WM/TrackNumber": 3,
            "WM/Year": "2021",
        }
    )
    container.save()
    assert read_tags(path) == WRITTEN


def test_tags_are_read_from_apev2(tmp_path: Path) -> None:
    path = tmp_path / "a.apev2"
    path.write_bytes(bytes(64))
    tags = mutagen.apev2.APEv2()
    tags.update(
        {
            "Title": "Ocean",
            "Artist": "Will Savino",
            "Album": "HyperRogue",
            "Genre": "Rock",
            "Track": "3/12",
            "Year": "2021",
        }
    )
    tags.save(path)
    assert read_tags(path) == WRITTEN


def test_an_untagged_file_has_empty_tags(tmp_path: Path) -> None:
    assert read_tags(audio_file(tmp_path / "a.wav")) == Tags()


def test_several_artists_are_listed_and_joined_without_repetition(tmp_path: Path) -> None:
    path = audio_file(tmp_path / "a.flac")
    container = mutagen.File(path)
    container["artist"] = ["Anna", "Bo\tB\u0000erg", " ", "Anna"]
    container.save()
    tags = read_tags(path)
    assert (tags.artist, tags.artists) == ("Anna, Bo Berg", ("Anna", "Bo Berg"))


@pytest.mark.parametrize(
    ("number", "date", "expected"),
    [
        ("3/12", "03.05.2011", (3, 2011)),
        ("007", "20110503", (7, 2011)),
        ("0", "0000", (None, None)),
        ("A", "unknown", (None, None)),
        ("123456789", "’99", (6789, None)),
    ],
)
def test_numbers_are_found_in_many_notations(
    tmp_path: Path, number: str, date: str, expected: tuple[int | None, int | None]
) -> None:
    path = audio_file(tmp_path / "a.flac")
    container = mutagen.File(path)
    container["tracknumber"], container["date"] = number, date
    container.save()
    tags = read_tags(path)
    assert (tags.track_number, tags.year) == expected


@pytest.mark.parametrize("content", [b"", b"\0", b"ID3\x04\0\0\x7f\x7f\x7f\x7f", b"RIFF\xff\xff\xff\xffWAVE", b"fLaC"])
@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".ogg", ".m4a", ".wma", ".wav", ""])
def test_a_file_with_a_wrong_suffix_or_header_has_empty_tags(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"liar{suffix}"
    path.write_bytes(content)
    assert replace(read_tags(path), note="") == Tags()


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.ogg", "a.wav", "a.m4a", "a.wma"])
def test_reading_damaged_tags_never_fails(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    make = {".m4a": empty_mp4, ".wma": empty_wma}.get(path.suffix, audio_file)
    make(path)
    (tag_with_id3_frames if path.suffix == ".wav" else tag_easily)(path)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    random = np.random.default_rng(1)
    for _ in range(60):
        damaged = whole[: random.integers(1, len(whole) + 1)].copy()
        positions = random.integers(0, min(len(damaged), 400), size=6)
        damaged[positions] = random.integers(0, 256, size=6)
        path.write_bytes(damaged.tobytes())
        assert isinstance(read_tags(path), Tags)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_tags(tmp_path / "missing.mp3")


@given(st.text(st.characters(), max_size=400) | st.text("a 😀e\u0301\ud83d\x00\u2028", max_size=400))
def test_clean_text_fits_every_column_and_needs_no_more_cleaning(text: str) -> None:
    cleaned = clean_text(text)
    assert len(cleaned.encode("utf-16-le")) <= 2 * 255
    assert not re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", cleaned)
    assert not re.search(r"  |[^\S \xa0]|^ | $", cleaned), "single spaces are the only white space, but for \xa0"
    assert unicodedata.is_normalized("NFC", cleaned)
    assert clean_text(cleaned) == cleaned


@pytest.mark.parametrize("encoding", ["cp1251", "cp866", "koi8-r", "shift_jis", "gbk", "big5", "cp1250", "cp1253"])
def test_a_text_in_another_encoding_keeps_all_of_its_bytes(tmp_path: Path, encoding: str) -> None:
    text = {
        "shift_jis": "表示ソング 東京",
        "gbk": "爱情歌曲 北京",
        "big5": "愛情歌曲 臺北",
        "cp1250": "Příliš žluťoučký",
        "cp1253": "Καλημέρα κόσμε",
    }.get(encoding, "Рапсодия на тему")
    raw = text.encode(encoding)
    path = tagged_mp3(tmp_path, mutagen.id3.TIT2(encoding=0, text=raw.decode("latin-1")))
    assert windows_1252_bytes(read_tags(path).title).decode(encoding) == text


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.m4a"])
def test_bytes_that_are_not_valid_utf_8_are_kept_in_every_container(tmp_path: Path, name: str) -> None:
    path = empty_mp4(tmp_path / name) if name == "a.m4a" else audio_file(tmp_path / name)
    container = mutagen.File(path, easy=True)
    container["artist"] = "ABCDEF"
    container.save()
    path.write_bytes(with_ogg_checksum(path.read_bytes().replace(b"ABCDEF", "Песняр".encode("cp1251"))))
    assert windows_1252_bytes(read_tags(path).artist).decode("cp1251") == "Песняр"


def with_ogg_checksum(content: bytes) -> bytes:
    """Return an Ogg file with the right checksum on each page, and any other file unchanged."""
    pages = [match.start() for match in re.finditer(b"OggS", content)]
    if not pages or pages[0]:
        return content
    whole = bytearray(content)
    for start, end in zip(pages, [*pages[1:], len(content)], strict=True):
        whole[start + 22 : start + 26] = bytes(4)
        checksum = mutagen.ogg.OggPage(io.BytesIO(bytes(whole[start:end]))).write()[22:26]
        whole[start + 22 : start + 26] = checksum
    return bytes(whole)


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        (b"Don\x92t Stop \x96 Live\x85", "Don’t Stop – Live…"),
        (b"Caf\xe9", "Café"),
        ("Voilà Été 東京".encode(), "Voilà Été 東京"),
        (b"\x81\x8d\x8f\x90\x9d", "\x81\x8d\x8f\x90\x9d"),
    ],
)
def test_latin_1_is_read_as_players_read_it(tmp_path: Path, raw: bytes, title: str) -> None:
    path = tagged_mp3(tmp_path, mutagen.id3.TIT2(encoding=0, text=raw.decode("latin-1")))
    assert read_tags(path).title == title


def test_riff_info_in_any_encoding_is_read(tmp_path: Path) -> None:
    path = audio_file(tmp_path / "a.wav")
    sound = path.read_bytes()
    values = {b"INAM": "Été".encode(), b"IART": "Été".encode("cp1252"), b"IPRD": "Песня".encode("cp1251")}
    chunks = b"".join(
        name + struct.pack("<I", len(value)) + value + bytes(len(value) % 2) for name, value in values.items()
    )
    info = b"LIST" + struct.pack("<I", 4 + len(chunks)) + b"INFO" + chunks
    path.write_bytes(b"RIFF" + struct.pack("<I", len(sound) - 8 + len(info)) + sound[8:] + info)
    tags = read_tags(path)
    assert (tags.title, tags.artist) == ("Été", "Été")
    assert tags.album.encode("cp1252").decode("cp1251") == "Песня"


def test_riff_info_fills_the_gaps_of_id3(tmp_path: Path) -> None:
    path = audio_file(tmp_path / "a.wav")
    with soundfile.SoundFile(path, "w", 48_000, 1) as file:
        file.title, file.artist = "Info title", "Info artist"
        file.write(np.zeros(4_800))
    container = mutagen.File(path)
    container.add_tags()
    container.tags.add(mutagen.id3.TIT2(text="ID3 title"))
    container.save()
    tags = read_tags(path)
    assert (tags.title, tags.artist) == ("ID3 title", "Info artist")


def test_tags_around_the_audio_of_an_mp3_fill_each_others_gaps(tmp_path: Path) -> None:
    path = tagged_mp3(tmp_path, mutagen.id3.TPE1(text="ID3 artist"))
    ape = mutagen.apev2.APEv2()
    ape.update({"Title": "A long title that ID3v1 would cut short", "Album Artist": "The Orchestra", "Disc": "2/3"})
    ape.save(path)
    with path.open("ab") as file:
        file.write(b"TAG" + b"A long title that ID3v1 would".ljust(30) + bytes(30) + b"Old album".ljust(30) + b"1999")
        file.write(bytes(28) + b"\x00\x07" + b"\x11")
    tags = read_tags(path)
    assert tags == Tags(
        title="A long title that ID3v1 would cut short",
        artist="ID3 artist",
        album="Old album",
        album_artist="The Orchestra",
        genre="Rock",
        track_number=7,
        disc_number=2,
        year=1999,
    )


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.wav"])
def test_id3_before_any_audio_is_read(tmp_path: Path, name: str) -> None:
    path = audio_file(tmp_path / name)
    id3 = mutagen.id3.ID3()
    id3.add(mutagen.id3.TIT2(text="Before"))
    id3.add(mutagen.id3.TPE2(text="The Orchestra"))
    before = tmp_path / "tag"
    before.write_bytes(b"")
    id3.save(before)
    path.write_bytes(before.read_bytes() + path.read_bytes())
    tags = read_tags(path)
    assert (tags.title, tags.album_artist) == ("Before", "The Orchestra")


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path: Path) -> None:
    path = tagged_mp3(tmp_path, mutagen.id3.TPE1(encoding=3, text=["\ufeffAnna", "\ufeffBo"]))
    assert read_tags(path).artists == ("Anna", "Bo")


@pytest.mark.parametrize(
    ("frames", "artists"),
    [
        ([mutagen.id3.TPE1(encoding=3, text=["X", "Y"])], ("X", "Y")),
        ([mutagen.id3.TPE1(encoding=3, text="X & Y"), mutagen.id3.TXXX(desc="ARTISTS", text=["X", "Y"])], ("X", "Y")),
        ([mutagen.id3.TPE1(encoding=3, text="AC/DC")], ()),
        ([mutagen.id3.TPE1(encoding=3, text="X feat. Y"), mutagen.id3.TXXX(desc="Artists", text="X")], ("X",)),
    ],
)
def test_the_artists_are_listed_where_the_tags_list_them(
    tmp_path: Path, frames: list[mutagen.id3.Frame], artists: tuple[str, ...]
) -> None:
    assert read_tags(tagged_mp3(tmp_path, *frames)).artists == artists


@pytest.mark.parametrize(
    ("frame", "artist", "artists"),
    [
        (mutagen.id3.TPE1(encoding=3, text="New"), "New", ()),
        (mutagen.id3.TPE1(encoding=3, text="Old A, Old B"), "Old A, Old B", ("Old A", "Old B")),
        (mutagen.id3.TIT2(encoding=3, text="Ocean"), "Old A, Old B", ("Old A", "Old B")),
        (mutagen.id3.TPE1(encoding=3, text="Old \ufffd"), "Old A, Old B", ("Old A", "Old B")),
    ],
)
def test_the_list_of_artists_belongs_to_the_text_that_is_kept(
    tmp_path: Path, frame: mutagen.id3.Frame, artist: str, artists: tuple[str, ...]
) -> None:
    path = tagged_mp3(tmp_path, frame)
    older = mutagen.apev2.APEv2()
    older["Artist"] = ["Old A", "Old B"]
    older.save(path)
    tags = read_tags(path)
    assert (tags.artist, tags.artists) == (artist, artists)


def tagged_mp3(folder: Path, *frames: mutagen.id3.Frame) -> Path:
    path = audio_file(folder / "a.mp3")
    tags = mutagen.id3.ID3()
    for frame in frames:
        tags.add(frame)
    tags.save(path, v1=0)
    return path


def windows_1252_bytes(text: str) -> bytes:
    """Return the bytes of a text in windows-1252, in which five bytes stand for themselves."""
    return b"".join(letter.encode("cp1252" if ord(letter) > 0xFF else "latin-1") for letter in text)
