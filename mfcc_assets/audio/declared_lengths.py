"""Reads from the headers of WAV, Wave64, AIFF, AU, CAF and ASF how long the audio should be.

The decoders tell only how much of it is in the file, so that a file that was cut off looks complete.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

# Name and size in the header of a chunk.
_RIFF = struct.Struct("<4sI")
_IFF = struct.Struct(">4sI")
_WAVE64 = struct.Struct("<4s12xQ")
_CAF = struct.Struct(">4sq")

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
    end = file.seek(0, os.SEEK_END)
    bytes_a_second = 0
    for name, place, size in _chunks(file, start + 12, _RIFF):
        if name == b"fmt ":
            bytes_a_second = _bytes_a_second(file, place)
        elif name == b"data":
            is_wide = _read(file, start, 4) in {b"RF64", b"BW64"}
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
    for name, place, _ in _chunks(file, start + 12, _IFF):
        if name == b"COMM":
            common = _read(file, place, 18)
            if len(common) < 18:
                break
            frames, exponent, mantissa = struct.unpack_from(">2xI2xHQ", common)
            # The rate is a number of 80 bits.
            rate = mantissa * 2.0 ** (min(exponent & 0x7FFF, 16_446) - 16_446)
            return frames / rate if rate >= 1 else 0.0
    return 0.0


def asf_seconds(file: BinaryIO, start: int) -> float:
    """Read the declared length in seconds of an ASF file that begins at a position of a file; 0 if it is unknown."""
    head = _read(file, start, 1 << 16)
    place = head.find(_ASF_FILE_PROPERTIES)
    if place < 0 or len(head) < place + _ASF_PROPERTIES.size:
        return 0.0
    *_, play_duration, _, preroll, flags = _ASF_PROPERTIES.unpack_from(head, place)
    # The duration is in units of 100 ns and contains the time for which a player waits, in milliseconds.
    return 0.0 if flags & _ASF_IS_BROADCAST else float(max(0.0, play_duration / 1e7 - preroll / 1e3))


def au_seconds(file: BinaryIO, start: int) -> float:
    """Read the declared length in seconds of an AU file that begins at a position of a file; 0 if it is unknown."""
    header = _read(file, start, 24)
    if len(header) < 24:
        return 0.0
    size, coding, rate, channels = struct.unpack(">8x4I", header)
    bytes_a_second = _AU_SAMPLE_BYTES.get(coding, 0) * rate * channels
    return size / bytes_a_second if bytes_a_second and size < _UNKNOWN_SIZE else 0.0


def wave64_seconds(file: BinaryIO, start: int) -> float:
    """Read the declared length in seconds of a Wave64 that begins at a position of a file; 0 if it is unknown."""
    bytes_a_second = 0
    for name, place, size in _chunks(file, start + 40, _WAVE64, counts_header=True, alignment=8):
        if name == b"fmt ":
            bytes_a_second = _bytes_a_second(file, place)
        elif name == b"data":
            return size / bytes_a_second if bytes_a_second > 0 and 0 <= size < _UNKNOWN_WIDE_SIZE else 0.0
    return 0.0


def caf_seconds(file: BinaryIO, start: int) -> float:
    """Read the declared length in seconds of a CAF file that begins at a position of a file; 0 if it is unknown."""
    bytes_a_second = 0.0
    for name, place, size in _chunks(file, start + 8, _CAF, alignment=1):
        if name == b"desc" and len(form := _read(file, place, 24)) == 24:
            rate, packet_bytes, packet_frames = struct.unpack(">d8xII", form)
            bytes_a_second = packet_bytes / packet_frames * rate if packet_frames and 0 < rate < _HIGHEST_RATE else 0.0
        elif name == b"data":
            return (size - 4) / bytes_a_second if bytes_a_second and size >= 4 else 0.0
    return 0.0


SECONDS = {"AIFF": aiff_seconds, "ASF": asf_seconds, "CAF": caf_seconds, "AU": au_seconds, "Wave64": wave64_seconds}
"""Functions that read the declared length of a file, by its format. The one for WAV is `wav_length`."""


def _chunks(
    file: BinaryIO, place: int, header: struct.Struct, *, counts_header: bool = False, alignment: int = 2
) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, position and size of the contents of chunks. A chunk may declare more than there is.

    The declared size counts the header of the chunk in some formats. Chunks begin at multiples of the alignment.
    """
    end = file.seek(0, os.SEEK_END)
    for _ in range(_MOST_CHUNKS):
        if place + header.size > end:
            return
        name, size = header.unpack(_read(file, place, header.size))
        place += header.size
        size -= header.size if counts_header else 0
        yield name, place, size
        size = max(0, size)
        place += size + -size % alignment


def _bytes_a_second(file: BinaryIO, place: int) -> int:
    """Read the bytes of a second of PCM from a chunk "fmt "; 0 for other codings."""
    form = _read(file, place, 12)
    tag, _, _, rate = struct.unpack("<HHIi", form) if len(form) == 12 else (0, 0, 0, 0)
    return rate if tag in _PCM else 0


def _begins_chunk(file: BinaryIO, place: int, end: int) -> bool:
    header = _read(file, place, _RIFF.size)
    if header[:3] in {b"ID3", b"TAG"} or not header.strip(b"\x00"):
        return True
    if len(header) < _RIFF.size:
        return False
    name: bytes
    size: int
    name, size = _RIFF.unpack(header)
    return name.isascii() and name.decode("latin-1").isprintable() and place + _RIFF.size + size <= end


def _read(file: BinaryIO, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)
