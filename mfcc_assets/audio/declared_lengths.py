"""Reads from the headers of WAV, Wave64, AIFF, AU, CAF and ASF how long the audio should be.

The decoders tell only how much of it is in the file, so that a file that was cut off looks complete.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_CHUNK = 8
_MOST_CHUNKS = 1_000

_UNKNOWN_SIZE = 0x7FFF_0000
"""From this size in bytes on, the program that wrote the header did not know the size: it could not seek back."""

_UNKNOWN_WIDE_SIZE = 1 << 62

_HIGHEST_RATE = 1 << 32

_AU_SAMPLE_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}
"""Bytes of a sample for each coding of AU that has whole bytes."""

_PCM = {0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE}
"""Format tags of WAV whose samples all have the same number of bytes."""

_SMALLEST_OVERHANG = 1 << 16
"""Bytes behind the samples of a WAV that cannot be a forgotten piece of a tag."""

_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_PROPERTIES = struct.Struct("<16s8s16sQQQQQQL")
_ASF_IS_BROADCAST = 1


@dataclass(frozen=True)
class WavLength:
    """What the header of a WAV says of the length of its samples.

    Attributes
    ----------
    seconds
        Declared length, or 0 if the header does not say.
    is_too_small
        True if the header declares less than the file holds: the writer was interrupted, or its sizes of 32 bits had an
        overflow at 4 GB.
    """

    seconds: float
    is_too_small: bool


def wav_length(file: BinaryIO, start: int) -> WavLength:
    """Read the length of a WAV that begins at a position of a file."""
    end = file.seek(0, 2)
    bytes_a_second = 0
    for name, place, size in _chunks(file, start, end, "<"):
        if name == b"fmt ":
            file.seek(place)
            form = file.read(12)
            tag, _, _, rate = struct.unpack("<HHIi", form) if len(form) == 12 else (0, 0, 0, 0)
            bytes_a_second = rate if tag in _PCM else 0
        elif name == b"data":
            is_wide = _begins_with(file, start, (b"RF64", b"BW64"))
            is_unknown = size == 0 or size >= _UNKNOWN_SIZE
            overhang = end - place - size
            too_small = not is_wide and (
                (size == 0 and overhang > 0)
                or (overhang > _SMALLEST_OVERHANG and not _begins_chunk(file, place + size + size % 2, end))
            )
            is_known = bytes_a_second > 0 and not (is_unknown or is_wide or too_small)
            return WavLength(size / bytes_a_second if is_known else 0.0, too_small)
    return WavLength(0.0, is_too_small=False)


def aiff_seconds(file: BinaryIO, start: int) -> float:
    """Read the declared length in seconds of an AIFF that begins at a position of a file; 0 if it is unknown."""
    for name, place, _ in _chunks(file, start, file.seek(0, 2), ">"):
        if name == b"COMM":
            file.seek(place)
            common = file.read(18)
            if len(common) < 18:
                break
            frames, exponent, mantissa = struct.unpack_from(">2xI2xHQ", common)
            # The rate is a number of 80 bits.
            rate = mantissa * 2.0 ** (min(exponent & 0x7FFF, 16_446) - 16_446)
            return frames / rate if rate >= 1 else 0.0
    return 0.0


def asf_seconds(file: BinaryIO, start: int) -> float:
    """Read the declared length in seconds of an ASF file that begins at a position of a file; 0 if it is unknown."""
    file.seek(start)
    head = file.read(1 << 16)
    place = head.find(_ASF_FILE_PROPERTIES)
    if place < 0 or len(head) < place + _ASF_PROPERTIES.size:
        return 0.0
    *_, play_duration, _, preroll, flags = _ASF_PROPERTIES.unpack_from(head, place)
    # The duration is in units of 100 ns and contains the time for which a player waits, in milliseconds.
    return 0.0 if flags & _ASF_IS_BROADCAST else float(max(0.0, play_duration / 1e7 - preroll / 1e3))


def au_seconds(file: BinaryIO, start: int) -> float:
    """Read the declared length in seconds of an AU file that begins at a position of a file; 0 if it is unknown."""
    file.seek(start)
    header = file.read(24)
    if len(header) < 24:
        return 0.0
    size, coding, rate, channels = struct.unpack(">8x4I", header)
    bytes_a_second = _AU_SAMPLE_BYTES.get(coding, 0) * rate * channels
    return size / bytes_a_second if bytes_a_second and size < _UNKNOWN_SIZE else 0.0


def wave64_seconds(file: BinaryIO, start: int) -> float:
    """Read the declared length in seconds of a Wave64 that begins at a position of a file; 0 if it is unknown."""
    place, bytes_a_second = start + 40, 0
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        header = file.read(24 + 12)
        if len(header) < 24 + 12:
            break
        name, size = struct.unpack_from("<4s12xQ", header)
        if name == b"fmt ":
            tag, _, _, rate = struct.unpack_from("<HHIi", header, 24)
            bytes_a_second = rate if tag in _PCM else 0
        elif name == b"data":
            return (size - 24) / bytes_a_second if bytes_a_second > 0 and 24 <= size < _UNKNOWN_WIDE_SIZE else 0.0
        place += max(24, size + -size % 8)
    return 0.0


def caf_seconds(file: BinaryIO, start: int) -> float:
    """Read the declared length in seconds of a CAF file that begins at a position of a file; 0 if it is unknown."""
    place, bytes_a_second = start + 8, 0.0
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        header = file.read(12 + 24)
        if len(header) < 12 + 24:
            break
        name, size = struct.unpack_from(">4sq", header)
        if name == b"desc":
            rate, packet_bytes, packet_frames = struct.unpack_from(">d8xII", header, 12)
            bytes_a_second = packet_bytes / packet_frames * rate if packet_frames and 0 < rate < _HIGHEST_RATE else 0.0
        elif name == b"data":
            return (size - 4) / bytes_a_second if bytes_a_second and size >= 4 else 0.0
        place += 12 + max(0, size)
    return 0.0


SECONDS = {"AIFF": aiff_seconds, "ASF": asf_seconds, "CAF": caf_seconds, "AU": au_seconds, "Wave64": wave64_seconds}
"""Functions that read the declared length of a file, by its format. The one for WAV is `wav_length`."""


def _chunks(file: BinaryIO, start: int, end: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, position and size of the chunks in a RIFF or IFF file. A chunk may declare more than there is."""
    place = start + 12
    for _ in range(_MOST_CHUNKS):
        file.seek(place)
        header = file.read(_CHUNK)
        if len(header) < _CHUNK or place > end:
            return
        name, size = struct.unpack(f"{order}4sI", header)
        yield name, place + _CHUNK, size
        place += _CHUNK + size + size % 2


def _begins_chunk(file: BinaryIO, place: int, end: int) -> bool:
    file.seek(place)
    header = file.read(_CHUNK)
    if header[:3] in {b"ID3", b"TAG"} or not header.strip(b"\x00"):
        return True
    (size,) = struct.unpack("<I", header[4:]) if len(header) == _CHUNK else (end,)
    return header[:4].isascii() and header[:4].decode("latin-1").isprintable() and place + _CHUNK + size <= end


def _begins_with(file: BinaryIO, place: int, marks: tuple[bytes, ...]) -> bool:
    file.seek(place)
    return file.read(4) in marks
