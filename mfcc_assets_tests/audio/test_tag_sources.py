"""Every field that FFmpeg or mutagen finds in a file is found, in every container and from every writer."""

import itertools
import re
import struct
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import mutagen
import mutagen.apev2
import mutagen.asf
import mutagen.id3
import mutagen.mp4
import numpy as np
import pytest

from mfcc_assets.audio.artwork import embedded_picture
from mfcc_assets.audio.id3_frames import without_harmful_frames
from mfcc_assets.audio.tag_sources import opened_by_ffmpeg
from mfcc_assets.audio.tags import Tags, read_tags
from mfcc_assets_tests.audio_samples import write_tone

METADATA = {
    "title": "Océan",
    "artist": "Will Savino",
    "album": "HyperRogue",
    "album_artist": "The Orchestra",
    "genre": "Rock",
    "track": "3/12",
    "disc": "2/4",
    "date": "2021-05-01",
}
ALL = Tags(
    title="Océan",
    artist="Will Savino",
    album="HyperRogue",
    album_artist="The Orchestra",
    genre="Rock",
    track_number=3,
    disc_number=2,
    year=2021,
)

# Muxer, encoder and options of FFmpeg by a suffix.
FFMPEG: dict[str, tuple[str, str, dict[str, str]]] = {
    "mp3": ("mp3", "libmp3lame", {}),
    "v3.mp3": ("mp3", "libmp3lame", {"id3v2_version": "3", "write_id3v1": "1"}),
    "flac": ("flac", "flac", {}),
    "opus": ("ogg", "libopus", {}),
    "m4a": ("ipod", "aac", {}),
    "mp4": ("mp4", "aac", {}),
    "mov": ("mov", "aac", {}),
    "mka": ("matroska", "libopus", {}),
    "webm": ("webm", "libopus", {}),
    "wav": ("wav", "pcm_s16le", {}),
    "rf64.wav": ("wav", "pcm_s16le", {"rf64": "always"}),
    "aiff": ("aiff", "pcm_s16be", {}),
    "id3.aiff": ("aiff", "pcm_s16be", {"write_id3v2": "1"}),
    "aac": ("adts", "aac", {"write_id3v2": "1"}),
    "ape.aac": ("adts", "aac", {"write_apetag": "1"}),
    "caf": ("caf", "pcm_s16be", {}),
    "au": ("au", "pcm_s16be", {}),
    "tta": ("tta", "tta", {}),
    "wv": ("wv", "wavpack", {}),
    "avi": ("avi", "libmp3lame", {}),
    "flv": ("flv", "aac", {}),
    "w64": ("w64", "pcm_s16le", {}),
    "ts": ("mpegts", "aac", {}),
    "mpg": ("mpeg", "mp2", {}),
    "rm": ("rm", "ac3", {}),
}
COMPLETE = {
    "mp3",
    "v3.mp3",
    "flac",
    "opus",
    "m4a",
    "mp4",
    "mka",
    "webm",
    "id3.aiff",
    "aac",
    "ape.aac",
    "caf",
    "wv",
    "flv",
}
"""Files in which FFmpeg writes every field."""

EASY_NAMES = {"album_artist": "albumartist", "track": "tracknumber", "disc": "discnumber"}


def written_by_ffmpeg(
    path: Path, muxer: str, encoder: str, options: dict[str, str], metadata: Mapping[str, str] = METADATA
) -> Path:
    silence = av.AudioFrame.from_ndarray(np.zeros((1, 9_600), np.int16), "s16p", "mono")
    silence.sample_rate = 48_000
    with av.open(str(path), "w", format=muxer, options=options) as container:
        container.metadata.update(metadata)
        stream = container.add_stream(encoder, rate=48_000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        stream.format = (stream.codec_context.codec.audio_formats or [])[0].name
        resampler = av.AudioResampler(stream.format, "mono", 48_000, stream.codec_context.frame_size or None)
        for frame in (*resampler.resample(silence), None):
            container.mux(stream.encode(frame))
    return path


def written_by_mutagen(path: Path) -> Path:
    """Write the metadata with mutagen, into a file of the format of its suffix."""
    if path.suffix in {".m4a", ".wma"}:
        atoms = ((b"ftyp", b"M4A \0\0\0\0M4A "), (b"moov", b""))
        header = uuid.UUID("75B22630-668E-11CF-A6D9-00AA0062CE6C").bytes_le + struct.pack("<QIBB", 30, 0, 1, 2)
        mp4 = b"".join(struct.pack(">I", 8 + len(body)) + name + body for name, body in atoms)
        path.write_bytes(mp4 if path.suffix == ".m4a" else header)
    else:
        write_tone(path, 0.2, sample_rate=48_000)
    container: Any = mutagen.File(path, easy=True)
    if container.tags is None:
        container.add_tags()
    if path.suffix in {".wav", ".aiff"}:
        names = {"title": "TIT2", "artist": "TPE1", "album": "TALB", "album_artist": "TPE2", "genre": "TCON"}
        names |= {"track": "TRCK", "disc": "TPOS", "date": "TDRC"}
        for name, value in METADATA.items():
            container.tags.add(getattr(mutagen.id3, names[name])(encoding=3, text=value))
    elif path.suffix == ".wma":
        names = {"title": "Title", "artist": "Author", "album": "WM/AlbumTitle", "album_artist": "WM/AlbumArtist"}
        names |= {"genre": "WM/Genre", "track": "WM/TrackNumber", "disc": "WM/PartOfSet", "date": "WM/Year"}
        container.tags.update({names[name]: value for name, value in METADATA.items()})
    else:
        container.tags.update({EASY_NAMES.get(name, name): value for name, value in METADATA.items()})
    container.save()
    return path


def ffmpeg_fields(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        metadata = {**container.streams.audio[0].metadata, **container.metadata}
    return {name.lower(): value for name, value in metadata.items()}


def easy_fields(path: Path) -> dict[str, str]:
    try:
        fields: Mapping[str, Any] = getattr(mutagen.File(path, easy=True), "tags", None) or {}
    except mutagen.MutagenError:
        return {}
    named = {name: fields.get(EASY_NAMES.get(name, name), fields.get(name)) for name in METADATA}
    return {name: value[0] for name, value in named.items() if value}


def shown(tags: Tags) -> dict[str, str]:
    """Return the fields of tags by FFmpeg's names."""
    numbers = {"track": tags.track_number, "disc": tags.disc_number, "date": tags.year}
    texts = {"title": tags.title, "artist": tags.artist, "album": tags.album, "genre": tags.genre}
    texts |= {"album_artist": tags.album_artist}
    return {name: str(value) for name, value in {**texts, **numbers}.items() if value}


def expected(name: str, value: str) -> str:
    return re.split(r"[/-]", value)[0] if name in {"track", "disc", "date"} else value


@pytest.mark.parametrize("suffix", FFMPEG)
def test_no_field_that_ffmpeg_writes_is_lost(tmp_path: Path, suffix: str) -> None:
    path = written_by_ffmpeg(tmp_path / f"a.{suffix}", *FFMPEG[suffix])
    found = shown(read_tags(path))
    for reference in (ffmpeg_fields(path), easy_fields(path)):
        fields = {name: expected(name, reference[name]) for name in METADATA.keys() & reference.keys()}
        assert {name: found.get(name) for name in fields} == fields
    if suffix in COMPLETE:
        assert read_tags(path) == ALL


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "opus", "m4a", "wav", "aiff", "wma"])
def test_no_field_that_mutagen_writes_is_lost(tmp_path: Path, suffix: str) -> None:
    assert read_tags(written_by_mutagen(tmp_path / f"a.{suffix}")) == ALL


@pytest.mark.parametrize("suffix", ["flac", "ogg", "opus"])
def test_less_common_names_of_fields_fill_gaps(tmp_path: Path, suffix: str) -> None:
    path = write_tone(tmp_path / f"a.{suffix}", 0.2, sample_rate=48_000)
    container: Any = mutagen.File(path)
    container.update(PERFORMER="Will Savino", ALBUMARTISTS=["A", "B"], TRACKNUM="3", ORIGINALDATE="1969-07-20")
    container.save()
    assert read_tags(path) == Tags(artist="Will Savino", album_artist="A, B", track_number=3, year=1969)
    container.update(ARTIST="X", ALBUMARTIST="Y", TRACKNUMBER="4", DATE="2021")
    container.save()
    assert read_tags(path) == Tags(artist="X", album_artist="Y", track_number=4, year=2021)


@pytest.mark.parametrize("suffix", ["mp3", "flac", "opus", "m4a", "wav", "webm", "aac"])
def test_the_format_is_recognised_by_the_content(tmp_path: Path, suffix: str) -> None:
    path = written_by_ffmpeg(tmp_path / f"a.{suffix}", *FFMPEG[suffix])
    for name in ("a", "a.flac", "a.mp3", "a.wma"):
        renamed = path.with_name(name)
        renamed.write_bytes(path.read_bytes())
        assert read_tags(renamed).title == "Océan"
        assert not read_tags(renamed).note


@pytest.mark.parametrize(
    ("name", "front"),
    [
        *itertools.product(["a.flac", "a.opus", "a.m4a"], ["ID3", "an empty ID3"]),
        ("a.flac", "zeros"),
        ("a.opus", "zeros"),
        ("a.m4a", "zeros"),
    ],
)
def test_what_stands_before_a_container_keeps_none_of_its_tags_from_being_read(
    tmp_path: Path, name: str, front: str
) -> None:
    path = written_by_ffmpeg(tmp_path / name, *FFMPEG[name[2:]], metadata={})
    container: Any = mutagen.File(path, easy=True)
    container.update({"title": "Container", "artist": ["Anna", "Bo"]})
    container.save()
    before = tmp_path / "tag"
    before.write_bytes(b"" if front != "zeros" else bytes(4_096))
    if front != "zeros":
        id3 = mutagen.id3.ID3()
        id3.add(mutagen.id3.TIT2(text="Before") if front == "ID3" else mutagen.id3.TMOO(text="calm"))
        id3.save(before)
    path.write_bytes(before.read_bytes() + path.read_bytes())
    tags = read_tags(path)
    assert (tags.title, tags.artists) == ("Container", ("Anna", "Bo"))


def test_the_names_of_quicktime_are_read(tmp_path: Path) -> None:
    names = {"title": "title", "artist": "artist", "album": "album", "genre": "genre", "date": "creationdate"}
    metadata = {f"com.apple.quicktime.{name}": METADATA[field] for field, name in names.items()}
    path = tmp_path / "a.mov"
    written_by_ffmpeg(path, "mov", "aac", {"movflags": "use_metadata_tags"}, metadata=metadata)
    assert read_tags(path) == replace(ALL, album_artist="", track_number=None, disc_number=None)


@pytest.mark.parametrize("suffix", FFMPEG)
def test_an_untagged_file_gets_no_note(tmp_path: Path, suffix: str) -> None:
    path = written_by_ffmpeg(tmp_path / f"a.{suffix}", *FFMPEG[suffix], metadata={})
    assert read_tags(path) == Tags()


def test_ffmpeg_is_asked_for_the_tags_of_every_format_that_it_decodes(tmp_path: Path) -> None:
    asked = []
    for name, (muxer, encoder, options) in FFMPEG.items():
        path = written_by_ffmpeg(tmp_path / f"a.{name}", muxer, encoder, options)
        with without_harmful_frames(path) as harmless, opened_by_ffmpeg(harmless) as container:
            asked.append((name, container is not None))
    assert asked == [(name, True) for name in FFMPEG]


def ape_tagged(path: Path, **others: Any) -> mutagen.apev2.APEv2:
    """Write an MP3 or a WavPack file with an APEv2 tag."""
    written_by_ffmpeg(path, *FFMPEG[path.suffix[1:]], metadata={})
    tags = mutagen.apev2.APEv2()
    tags.update({"Title": "Océan", "Artist": ["Will Savino", "The Orchestra"], **others})
    tags.save(path)
    return tags


def odd_mp4(path: Path) -> None:
    tags: Any = mutagen.File(written_by_mutagen(path))
    tags["cpil"], tags["pgap"], tags["tmpo"] = True, False, [120]
    tags["covr"] = [mutagen.mp4.MP4Cover(b"picture", mutagen.mp4.MP4Cover.FORMAT_PNG)]
    tags["----:com.apple.iTunes:ARTISTS"] = [mutagen.mp4.MP4FreeForm(b"\x89PNG", mutagen.mp4.AtomDataType.PNG)]
    tags.save()


def odd_asf(path: Path) -> None:
    asf: Any = mutagen.asf  # it exports these classes, but does not say so to a type checker
    tags: Any = mutagen.File(written_by_mutagen(path))
    tags["WM/Artists"] = [
        asf.ASFByteArrayAttribute(b"\x89PNG"),
        asf.ASFBoolAttribute(True),
    ]
    tags["WM/Picture"] = [asf.ASFByteArrayAttribute(b"\x89PNG")]
    tags["WM/MediaClassPrimaryID"] = [asf.ASFGUIDAttribute(uuid.uuid4().bytes)]
    tags.save()


@pytest.mark.parametrize(("name", "write"), [("a.m4a", odd_mp4), ("a.wma", odd_asf)])
def test_values_that_are_no_texts_are_passed_over(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    assert read_tags(tmp_path / name) == ALL


@pytest.mark.parametrize("suffix", ["mp3", "wv"])
@pytest.mark.parametrize("key", ["Cover Art (Front)", "Artists", "Related"])
@pytest.mark.parametrize("kind", [mutagen.apev2.BINARY, mutagen.apev2.EXTERNAL])
def test_pictures_and_links_in_apev2_are_passed_over(tmp_path: Path, suffix: str, key: str, kind: int) -> None:
    value: bytes | str = b"c.png\0\x89PNG" if kind == mutagen.apev2.BINARY else "http://example.org"
    ape_tagged(tmp_path / f"a.{suffix}", **{key: mutagen.apev2.APEValue(value, kind)})
    tags = read_tags(tmp_path / f"a.{suffix}")
    assert tags == Tags("Océan", "Will Savino, The Orchestra", artists=("Will Savino", "The Orchestra"))


@pytest.mark.parametrize("suffix", ["mp3", "wv"])
@pytest.mark.parametrize("broken", [b"Oc\xe9an", "Océan".encode("latin-1") + b"\xff"])
def test_one_item_of_apev2_that_is_not_utf_8_does_not_lose_the_others(
    tmp_path: Path, suffix: str, broken: bytes
) -> None:
    path = tmp_path / f"a.{suffix}"
    ape_tagged(path, Album=mutagen.apev2.APEValue(len(broken) * "x", mutagen.apev2.TEXT))
    path.write_bytes(path.read_bytes().replace(b"Album\0" + len(broken) * b"x", b"Album\0" + broken))
    tags = read_tags(path)
    assert (tags.title, tags.artist, tags.note) == ("Océan", "Will Savino, The Orchestra", "")
    assert tags.album == broken.decode("latin-1")


def damaged_comments(path: Path) -> Path:
    """Write a FLAC whose comments declare more bytes than they have."""
    written_by_mutagen(path)
    content = path.read_bytes()
    start = content.index(b"title=") - 4
    path.write_bytes(content[:start] + b"\xff\xff\xff\x7f" + content[start + 4 :].replace(b"=", b"?", 12))
    return path


def test_damaged_comments_of_a_flac_get_a_note(tmp_path: Path) -> None:
    assert "damaged" in read_tags(damaged_comments(tmp_path / "a.flac")).note


def picture_file(folder: Path) -> bytes:
    from PIL import Image

    file = folder / "cover.png"
    Image.new("RGB", (8, 8), "red").save(file)
    return file.read_bytes()


def with_ape_cover(path: Path, cover: bytes) -> None:
    ape_tagged(path, **{"Cover Art (Front)": mutagen.apev2.APEValue(b"cover.png\0" + cover, mutagen.apev2.BINARY)})


def with_id3_cover(path: Path, cover: bytes) -> None:
    written_by_ffmpeg(path, *FFMPEG["aac"])
    tags = mutagen.id3.ID3(path)
    tags.add(mutagen.id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=cover))
    tags.save(path)


@pytest.mark.parametrize(
    ("name", "write"), [("a.wv", with_ape_cover), ("a.mp3", with_ape_cover), ("a.aac", with_id3_cover)]
)
def test_a_cover_is_found_wherever_mutagen_or_ffmpeg_finds_it(
    tmp_path: Path, name: str, write: Callable[[Path, bytes], None]
) -> None:
    cover = picture_file(tmp_path)
    write(tmp_path / name, cover)
    picture = embedded_picture(tmp_path / name)
    assert picture is not None
    assert picture.data == cover
