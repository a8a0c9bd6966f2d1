"""Frames of MPEG audio (MP1, MP2, MP3) and of ADTS (AAC), found by their headers alone.

Such a stream has no container: it is a row of frames, and each frame begins with a header that tells its length. Files
in use have more than one row: tags stand before, behind and between the frames, two files were joined, or a part was
overwritten.

The bits of the headers are those of ISO/IEC 11172-3 (MPEG audio), its extension to low sample rates in ISO/IEC 13818-3,
and ISO/IEC 13818-7 (ADTS).
"""

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

FRAME_FORMATS = {"AAC", "MP1", "MP2", "MP3"}
"""Formats that consist of frames without a container."""

FRAMES_OF_A_RUN = 3
"""Frames that must follow each other before bytes count as a stream. Other bytes look like one header by chance."""

_LONGEST_FREE_FRAME = 8_192
"""Bytes of the longest frame of a free bit rate, 640 kbit/s at 11,025 Hz, and some more."""

LONGEST_HEADER = 7
"""Bytes of the longest header, that of ADTS."""

_MPEG_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_ADTS_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)

Content: TypeAlias = bytes | mmap.mmap
"""Bytes, or a file that is mapped to memory."""

Part: TypeAlias = tuple[int, int]
"""Position of the first byte of a part of a file, and of the first byte behind it."""

# kbit/s by version (1, or 2 and 2.5) and layer.
_BIT_RATES = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}

# A frame sync with a version, a layer, a bit rate and a sample rate that exist, or the sync of ADTS.
_BIT_AND_SAMPLE_RATES = b"".join(b"\\x%02x" % byte for byte in range(256) if 0 < byte >> 4 < 15 and byte >> 2 & 3 != 3)
_SYNC = re.compile(rb"\xff(?:[\xe2-\xe7\xf2-\xf7\xfa-\xff][%s]|[\xf0\xf1\xf8\xf9])" % _BIT_AND_SAMPLE_RATES)


class Kind(NamedTuple):
    """What the frames of one stream have in common. `coding` is ``MP1``, ``MP2``, ``MP3`` or ``AAC``."""

    coding: str
    sample_rate: int
    channels: int


class Frame(NamedTuple):
    """A header: what kind of stream it belongs to, the bytes of its frame, and the samples of each channel."""

    kind: Kind
    size: int
    samples: int


@dataclass
class Run:
    """Frames of one kind that follow each other without a gap.

    Attributes
    ----------
    kind
        Kind of all frames.
    start, end
        Position of the first byte, and of the first byte behind the run.
    has_header
        True if the first frame is a header that the encoder wrote, and not audio.
    declared_seconds
        Length that this header declares, or 0 if there is none.
    samples
        Number of samples of each channel, without those of that header.
    """

    kind: Kind
    start: int
    end: int
    has_header: bool = False
    declared_seconds: float = 0.0
    samples: int = 0

    @property
    def seconds(self) -> float:
        """Length of the audio. An encoder adds less than 0.1 s at both ends, and a decoder may remove it."""
        return self.samples / self.kind.sample_rate


@lru_cache(4096)
def _mpeg_frame(header: int) -> Frame | None:
    version, layer = header >> 19 & 3, 4 - (header >> 17 & 3)
    bit_rate, rate = header >> 12 & 15, header >> 10 & 3
    if header >> 21 != 0x7FF or version == 1 or layer == 4 or bit_rate in (0, 15) or rate == 3:
        return None
    sample_rate = _MPEG_RATES[version][rate]
    low = 1 if version == 3 else 2
    kilobits = _BIT_RATES[low, layer if low == 1 or layer == 1 else 2][bit_rate]
    padding = header >> 9 & 1
    channels = 1 if header >> 6 & 3 == 3 else 2
    if layer == 1:
        size, samples = 4 * (12_000 * kilobits // sample_rate + padding), 384
    else:
        samples = 576 if layer == 3 and low == 2 else 1_152
        size = samples // 8 * 1_000 * kilobits // sample_rate + padding
    return Frame(Kind(f"MP{layer}", sample_rate, channels), size, samples)


def frame_at(content: Content, place: int) -> Frame | None:
    """Return the frame whose header stands at a place, or None if there is no header."""
    header = content[place : place + LONGEST_HEADER]
    if len(header) < 4 or header[0] != 0xFF:
        return None
    if header[1] & 0xF6 != 0xF0:
        return _mpeg_frame(int.from_bytes(header[:4]) & 0xFFFEFEC0)
    if len(header) < LONGEST_HEADER or header[2] >> 2 & 15 >= len(_ADTS_RATES):
        return None
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    channels = (header[2] & 1) << 2 | header[3] >> 6
    if size <= LONGEST_HEADER:
        return None
    kind = Kind("AAC", _ADTS_RATES[header[2] >> 2 & 15], 8 if channels == 7 else channels)
    return Frame(kind, size, 1_024 * (1 + (header[6] & 3)))


def begins_free_bit_rate(content: bytes) -> bool:
    """Return True if bytes begin with three MP3 frames of a free bit rate, whose headers do not tell their length."""
    header = content[:4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2 or header[2] >> 4 != 0:
        return False
    # The lengths differ by at most the one byte of the padding.
    pattern = re.compile(re.escape(header[:2]) + b"[%s]" % re.escape(bytes([header[2] & 0xFD, header[2] | 2])))
    second = pattern.search(content, 24, _LONGEST_FREE_FRAME)
    while second is not None:
        length = second.start()
        if pattern.search(content, 2 * length - 1, 2 * length + 5):
            return True
        second = pattern.search(content, length + 1, _LONGEST_FREE_FRAME)
    return False


def find_frames(content: Content, start: int, end: int, least: int = FRAMES_OF_A_RUN) -> int | None:
    """Find the first place from `start` on at which frames follow each other, or None if there is none before `end`.

    Parameters
    ----------
    content
        The file.
    start, end
        Where the first frame may begin.
    least
        Number of frames that must follow each other. Other bytes look like several headers by chance.
    """
    while start < end:
        found = _SYNC.search(content, start, end)
        if found is None:
            return None
        if _begins_a_run(content, found.start(), least):
            return found.start()
        start = found.start() + 1
    return None


def _begins_a_run(content: Content, place: int, least: int) -> bool:
    first = frame_at(content, place)
    if first is None:
        return False
    place += first.size
    for _ in range(least - 1):
        frame = frame_at(content, place)
        if frame is None or frame.kind != first.kind:
            return False
        place += frame.size
    return True


def runs_of_frames(content: Content, start: int = 0) -> Iterator[Run]:
    """Yield the runs of frames of a file. What lies between them, such as tags and zeros, is no audio.

    A run ends where frames of another kind begin. It also ends before a header frame, since another file begins there.
    """
    place = start
    while (begin := find_frames(content, place, len(content))) is not None:
        frame = frame_at(content, begin)
        assert frame is not None
        run = Run(frame.kind, begin, begin)
        place = begin
        while frame is not None and frame.kind == run.kind:
            declared = _declared_frames(content, place, frame)
            if declared is not None and place > begin:
                break
            if declared is None:
                run.samples += frame.samples
            else:
                run.has_header, run.declared_seconds = True, declared * frame.samples / frame.kind.sample_rate
            place += frame.size
            frame = frame_at(content, place)
        run.end = place = min(place, len(content))
        yield run


def _declared_frames(content: Content, place: int, frame: Frame) -> int | None:
    """Return the number of frames that a header frame (Xing, Info, VBRI) declares; None for a frame of audio.

    The layout is described in "MP3 Info Tag" of LAME, and in "The MP3 VBRI Header" of Fraunhofer.
    """
    if frame.kind.coding != "MP3":
        return None
    is_mono, is_low = frame.kind.channels == 1, frame.samples == 576
    side_information = (9 if is_mono else 17) if is_low else (17 if is_mono else 32)
    xing = content[place + 4 + side_information : place + 16 + side_information]
    if xing[:4] in (b"Xing", b"Info"):
        return int.from_bytes(xing[8:12]) if len(xing) == 12 and xing[7] & 1 else 0
    if content[place + 36 : place + 40] == b"VBRI":
        return int.from_bytes(content[place + 50 : place + 54])
    return None
