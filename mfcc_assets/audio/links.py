"""Finds complete streams that follow each other in one file, as after ``cat one.ogg two.ogg > both.ogg``.

The first specification of Ogg calls such streams the links of a chain. Radio stations record them, with other tags and
sometimes another sample rate for each piece of music. Most decoders end at the first link.
"""

from mfcc_assets.audio.frames import Content

_OGG_HEADER_BYTES = 27
_OGG_FIRST_PAGE = 0x02

# The marker of FLAC and the header of STREAMINFO, which is always the first block and has 34 bytes.
_FLAC_BEGIN = b"fLaC\x00\x00\x00\x22"
_FLAC_BEGIN_OF_LAST_BLOCK = b"fLaC\x80\x00\x00\x22"

Part = tuple[int, int]
"""Position of the first byte of a part of a file, and of the first byte behind it."""


def ogg_links(content: Content, start: int = 0) -> list[Part]:
    """Return the links of an Ogg file from a position on. Interleaved streams belong to one link (RFC 3533)."""
    begins, place, previous_begins = [], start, False
    while (place := content.find(b"OggS\x00", place, len(content))) >= 0:
        header = content[place : place + _OGG_HEADER_BYTES]
        if len(header) < _OGG_HEADER_BYTES:
            break
        begins_stream = bool(header[5] & _OGG_FIRST_PAGE)
        if begins_stream and not previous_begins:
            begins.append(place)
        previous_begins = begins_stream
        table = content[place + _OGG_HEADER_BYTES : place + _OGG_HEADER_BYTES + header[26]]
        place += _OGG_HEADER_BYTES + len(table) + sum(table)
    return _parts(begins or [start], content)


def flac_links(content: Content, start: int = 0) -> list[Part]:
    """Return the FLAC streams of a file from a position on."""
    begins = []
    for marker in (_FLAC_BEGIN, _FLAC_BEGIN_OF_LAST_BLOCK):
        place = start
        while (place := content.find(marker, place, len(content))) >= 0:
            begins.append(place)
            place += len(marker)
    return _parts(sorted(begins) or [start], content)


def _parts(begins: list[int], content: Content) -> list[Part]:
    return list(zip(begins, [*begins[1:], len(content)], strict=True))
