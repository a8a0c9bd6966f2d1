"""Finds complete streams that follow each other in one file, as after ``cat one.ogg two.ogg > both.ogg``.

The first specification of Ogg calls such streams the links of a chain. Radio stations record them, with other tags and
sometimes another sample rate for each piece of music. Most decoders end at the first link.
"""

from mfcc_assets.audio.frames import Content

OGG_HEADER_BYTES = 27
"""Bytes of the header of a page in Ogg, without the table of its segments."""

_OGG_FIRST_PAGE, _OGG_LAST_PAGE = 0x02, 0x04

# The marker of FLAC and the header of STREAMINFO, which is always the first block and has 34 bytes.
_FLAC_BEGIN = b"fLaC\x00\x00\x00\x22"
_FLAC_BEGIN_OF_LAST_BLOCK = b"fLaC\x80\x00\x00\x22"

Part = tuple[int, int]
"""Position of the first byte of a part of a file, and of the first byte behind it."""


def ogg_links(content: Content, start: int = 0) -> list[Part]:
    """Return the links of an Ogg file from a position on. Interleaved streams belong to one link (RFC 3533)."""
    begins, place, previous_begins = [], start, False
    while (place := content.find(b"OggS\x00", place, len(content))) >= 0:
        header = content[place : place + OGG_HEADER_BYTES]
        if len(header) < OGG_HEADER_BYTES:
            break
        begins_stream = bool(header[5] & _OGG_FIRST_PAGE)
        if begins_stream and not previous_begins:
            begins.append(place)
        previous_begins = begins_stream
        table = content[place + OGG_HEADER_BYTES : place + OGG_HEADER_BYTES + header[26]]
        place += OGG_HEADER_BYTES + len(table) + sum(table)
    return _parts(begins or [start], content)


def has_last_page(content: Content, start: int = 0) -> bool:
    """Return True if the last page of an Ogg file is complete and marked as the last one of its stream (RFC 3533)."""
    place = content.rfind(b"OggS\x00", start)
    header = content[place : place + OGG_HEADER_BYTES]
    if place < 0 or len(header) < OGG_HEADER_BYTES:
        return False
    table = content[place + OGG_HEADER_BYTES : place + OGG_HEADER_BYTES + header[26]]
    is_complete = len(table) == header[26] and place + OGG_HEADER_BYTES + len(table) + sum(table) <= len(content)
    return is_complete and bool(header[5] & _OGG_LAST_PAGE)


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
