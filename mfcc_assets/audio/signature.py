"""Tells by the first bytes of a file whether it can be audio, and in which format. The name of the file plays no part.

Raw samples have no signature, so they are never guessed: a text would be music otherwise.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from mfcc_assets.audio.frames import begins_free_bit_rate, find_frames, frame_at

_HEAD_BYTES = 1 << 16
"""Bytes that are read of most files."""

_SEARCHED_BYTES = 1 << 20
"""Bytes in which frames without a container are searched for, behind other bytes such as a page of HTML."""

_SKIPPED_AT_ONCE = 1 << 20

_MOST_TAGS = 1_000
"""Most tags and stretches of zeros that are skipped. A crafted file can consist of millions of empty tags."""

_MOST_OWN_ZEROS = 3
"""Most zeros with which a known format begins."""


@dataclass(frozen=True)
class Signature:
    """Format of an audio file, and the position at which its audio begins behind a leading tag or zeros."""

    format: str
    start: int


def _starts(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(marks)


def _form(*forms: bytes) -> Callable[[bytes], bool]:
    return lambda head: head[:4] == b"FORM" and head[8:12] in forms


def _is_mp4(head: bytes) -> bool:
    size, box, brand = int.from_bytes(head[:4]), head[4:8], head[8:12]
    if box == b"ftyp":
        return size >= 8 and brand not in _PICTURE_BRANDS
    # Old QuickTime files have no such box.
    if box == b"moov":
        return head[12:16] in {b"mvhd", b"cmov", b"prfl", b"clip", b"iods", b"udta", b"trak"}
    if box in {b"wide", b"free", b"skip", b"pnot"}:
        return size >= 8 and head[size + 4 : size + 8] in {b"mdat", b"moov", b"ftyp"}
    return box == b"mdat" and not head[:4].isalpha()


def _is_ac3(head: bytes) -> bool:
    """Return True if two frames of AC-3 or E-AC-3 (ATSC A/52) follow each other."""
    size = _ac3_frame_bytes(head)
    return size > 0 and _ac3_frame_bytes(head[size:]) > 0


def _ac3_frame_bytes(frame: bytes) -> int:
    if len(frame) < 6 or frame[:2] != b"\x0b\x77":
        return 0
    if frame[5] >> 3 > 10:
        return 2 * (((frame[2] & 7) << 8 | frame[3]) + 1)
    rate, code = frame[4] >> 6, frame[4] & 0x3F
    if rate == 3 or code >= 2 * len(_AC3_KILOBITS):
        return 0
    kilobits = _AC3_KILOBITS[code // 2]
    # A frame has 1,536 samples, and its length is counted in words of two bytes.
    words = (2 * kilobits, 320 * kilobits // 147 + code % 2, 3 * kilobits)[rate]
    return 2 * words


def _is_transport_stream(head: bytes) -> bool:
    # On Blu-ray discs and in cameras, four bytes with the time of arrival stand before each packet.
    return any(len(marks := head[first::size][:6]) == 6 and not marks.strip(b"\x47") for first, size in _PACKETS)


_PACKETS = ((0, 188), (4, 192))
"""Position of the first mark of a transport stream, and bytes from one mark to the next."""

_AC3_KILOBITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_PICTURE_BRANDS = {b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"crx ", b"jp2 ", b"jpx "}
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_WAVE64 = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"

_AUDIO: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("WAV", lambda head: head[:4] in {b"RIFF", b"RF64", b"BW64"} and head[8:12] == b"WAVE"),
    ("FLAC", _starts(b"fLaC")),
    ("Ogg", _starts(b"OggS\x00")),
    ("MP4", _is_mp4),
    ("AIFF", _form(b"AIFF", b"AIFC")),
    ("Matroska", _starts(b"\x1a\x45\xdf\xa3")),
    ("ASF", _starts(_ASF)),
    ("WavPack", lambda head: head[:4] == b"wvpk" and head[9:10] == b"\x04"),
    ("TTA", _starts(b"TTA1\x01\x00", b"TTA1\x02\x00", b"TTA1\x03\x00")),
    ("AC-3", _is_ac3),
    ("CAF", _starts(b"caff\x00\x01")),
    ("Monkey's Audio", lambda head: head[:4] == b"MAC " and 3_000 <= int.from_bytes(head[4:6], "little") < 6_000),
    ("Musepack", lambda head: head[:4] == b"MPCK" or (head[:3] == b"MP+" and head[3:4] in {b"\x07", b"\x17"})),
    ("DSF", _starts(b"DSD \x1c\x00\x00\x00")),
    ("DSDIFF", lambda head: head[:4] == b"FRM8" and head[12:16] == b"DSD "),
    ("TrueHD", lambda head: head[4:8] in {b"\xf8\x72\x6f\xba", b"\xf8\x72\x6f\xbb"}),
    ("DTS", _starts(b"\x7f\xfe\x80\x01", b"\xfe\x7f\x01\x80", b"\x1f\xff\xe8\x00", b"\xff\x1f\x00\xe8", b"DTSHDHDR")),
    ("AMR", _starts(b"#!AMR\n", b"#!AMR-WB\n")),
    ("RealMedia", _starts(b".RMF\x00", b".ra\xfd")),
    ("ATRAC", _starts(b"EA3\x01", b"ea3\x03")),
    ("TAK", _starts(b"tBaK")),
    ("Shorten", _starts(b"ajkg")),
    ("Wave64", _starts(_WAVE64)),
    ("AU", _starts(b".snd\x00")),
    ("VOC", _starts(b"Creative Voice File\x1a")),
    ("NIST Sphere", _starts(b"NIST_1A\n")),
    ("8SVX", _form(b"8SVX", b"16SV")),
    ("AVI", lambda head: head[:4] == b"RIFF" and head[8:12] == b"AVI "),
    ("Flash Video", _starts(b"FLV\x01")),
    ("MPEG program stream", _starts(b"\x00\x00\x01\xba")),
    ("MPEG transport stream", _is_transport_stream),
)

_NOT_AUDIO: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("a ZIP archive", _starts(b"PK\x03\x04", b"PK\x05\x06")),
    ("a RAR archive", _starts(b"Rar!\x1a\x07")),
    ("a 7-Zip archive", _starts(b"7z\xbc\xaf\x27\x1c")),
    ("a compressed file", _starts(b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")),
    ("a picture", _starts(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*")),
    ("a picture", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
    ("a picture", lambda head: head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS),
    ("a PDF document", _starts(b"%PDF-")),
    ("an Office document", _starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")),
    ("a database", _starts(b"SQLite format 3\x00")),
    ("a program", _starts(b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")),
    ("MIDI notes without sound", _starts(b"MThd")),
    ("a module of a music tracker", _starts(b"Extended Module: ", b"IMPM")),
    ("an OptimFROG file", _starts(b"OFR ")),
    ("a playlist", _starts(b"#EXTM3U", b"\xef\xbb\xbf#EXTM3U", b"ffconcat version", b"[playlist]")),
)

CONTENT_NAMES = ("text", *dict.fromkeys(name for name, _ in _NOT_AUDIO))
"""What `first_impression` may call a file that is no audio."""

_ASCII = bytes(range(128))

# Bytes that no text has, apart from one in UTF-16.
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def audio_format(path: Path) -> str | None:
    """Return the format of an audio file, such as ``MP3`` or ``FLAC``, or None if the bytes are of no known format.

    At most 64 KB are read, after a leading ID3 tag and zeros. Only if they are of no known format, frames of MP3 and
    AAC are searched for in the first megabyte. A film counts as audio, because it may have sound.

    Raises
    ------
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> from importlib.resources import files
    >>> audio_format(Path(str(files("mfcc_assets.demo"))) / "uploads" / "caribbean.mp3")
    'MP3'
    >>> audio_format(Path(str(files("mfcc_assets.demo"))) / "__init__.py") is None
    True
    """
    signature = read_signature(path)
    return signature.format if signature else None


def read_signature(path: Path) -> Signature | None:
    """Return the format of an audio file, and where its audio begins; None if the bytes are of no known format.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    with path.open("rb") as file:
        return _signature_in(file)


class Impression(StrEnum):
    """What the first bytes of a file tell of it.

    Attributes
    ----------
    AUDIO
        It may be audio: the bytes are those of a known format, or of a tag that goes on behind them.
    OTHER
        It is something else, or so the bytes say.
    UNKNOWN
        The bytes do not tell it.
    """

    AUDIO = "audio"
    OTHER = "other"
    UNKNOWN = "unknown"


def first_impression(head: bytes) -> tuple[Impression, str]:
    """Return what the first bytes of a file tell of it, before the others have come, and what it is if not audio.

    Examples
    --------
    >>> first_impression(b"fLaC")[0].value, first_impression(b"%PDF-1.4")[1]
    ('audio', 'a PDF document')
    """
    file = BytesIO(head)
    rest = head[_skip_tags_and_zeros(file) :]
    if _signature_in(file) or not rest or tag_bytes(rest):
        return Impression.AUDIO, ""
    content = _content_of(rest)
    return (Impression.OTHER if content else Impression.UNKNOWN), content


def format_of(head: bytes) -> str | None:
    """Return the format whose signature bytes begin with, or None. Frames without a container have no signature.

    Examples
    --------
    >>> format_of(b"fLaC"), format_of(b"text")
    ('FLAC', None)
    """
    return next((name for name, matches in _AUDIO if matches(head)), None)


def content_without_audio(path: Path) -> str:
    """Describe the content of a file that is no known audio, such as ``text`` or ``a picture``; empty if it is unknown.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    with path.open("rb") as file:
        file.seek(_skip_tags_and_zeros(file))
        head = file.read(_HEAD_BYTES)
    return _content_of(head) if head and not tag_bytes(head) else "zeros or a tag alone"


def tag_bytes(header: bytes) -> int:
    """Return the size of an ID3 tag by its first ten bytes, or 0 if they begin no tag."""
    if header[:3] != b"ID3" or len(header) < 10 or max(header[6:10]) >= 0x80:
        return 0
    size = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
    footer = 10 if header[5] & 0x10 else 0
    return 10 + size + footer


def _signature_in(file: BinaryIO) -> Signature | None:
    start = _skip_tags_and_zeros(file)
    file.seek(start)
    head = file.read(_HEAD_BYTES)
    format_name = format_of(head)
    if format_name is not None:
        return Signature(format_name, start)
    if any(matches(head) for _, matches in _NOT_AUDIO):
        return None
    if begins_free_bit_rate(head):
        return Signature("MP3", start)
    searched = len(head)
    if (frames := find_frames(head, 0, searched)) is None:
        head += file.read(_SEARCHED_BYTES - searched)
        frames = find_frames(head, max(0, searched - 3), len(head))
    return None if frames is None else Signature(_coding(head, frames), start + frames)


def _content_of(head: bytes) -> str:
    known = next((name for name, matches in _NOT_AUDIO if matches(head)), "")
    if known:
        return known
    is_mostly_ascii = 2 * len(head.translate(None, _ASCII)) < len(head)
    is_text = head.startswith((b"\xff\xfe", b"\xfe\xff")) or (is_mostly_ascii and not _CONTROLS.search(head))
    return "text" if is_text else ""


def _coding(head: bytes, place: int) -> str:
    frame = frame_at(head, place)
    assert frame is not None
    return frame.kind.coding


def _skip_tags_and_zeros(file: BinaryIO) -> int:
    """Return the position of the first byte behind ID3 tags and zeros. Some programs write several tags.

    A tag that declares more bytes than the file has is not skipped, since there may be audio behind its true end.
    """
    start, end = 0, file.seek(0, os.SEEK_END)
    for _ in range(_MOST_TAGS):
        file.seek(start)
        header = file.read(10)
        size = tag_bytes(header)
        if 0 < size <= end - start:
            start += size
        elif header and not header.strip(b"\x00"):
            start = _skip_zeros(file, start)
        else:
            break
    return start


def _skip_zeros(file: BinaryIO, start: int) -> int:
    file.seek(start)
    while chunk := file.read(_SKIPPED_AT_ONCE):
        rest = chunk.lstrip(b"\x00")
        start += len(chunk) - len(rest)
        if rest:
            return start - _own_zeros(file, start)
    return start


def _own_zeros(file: BinaryIO, start: int) -> int:
    """Return how many of the zeros before a position belong to the format behind them, as the size of an MP4's box."""
    file.seek(start - _MOST_OWN_ZEROS)
    head = file.read(_HEAD_BYTES)
    matching = (own for own in range(_MOST_OWN_ZEROS, 0, -1) if format_of(head[_MOST_OWN_ZEROS - own :]))
    return 0 if format_of(head[_MOST_OWN_ZEROS:]) else next(matching, 0)
