"""The way of a file into the store of uploads: its name, its first bytes, all its bytes."""

from collections.abc import Iterator
from http import HTTPStatus
from itertools import chain

from mfcc_assets.audio.signature import Impression, first_impression
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.music_names import is_companion
from mfcc_assets.storage.blobs.names import clean_name
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.uploads.bodies import Body
from mfcc_assets.web.uploads.refusals import Refused

_HEAD_BYTES = 4096
"""Bytes that are looked at before any others are taken."""

_SEARCHED_BYTES = 1 << 20
"""Bytes that are looked at if the first ones do not tell what the file is. They are kept in memory."""


def store_upload(library: Library, upload: UploadId, body: Body) -> None:
    """Store a file that is coming as a new upload, as a whole or not at all.

    Raises
    ------
    Refused
        If the file is no audio, or not all of it has come.
    StoreError
        If it cannot be stored.
    """
    blocks = _checked(body.blocks)
    with library.blobs.writing("uploads", f"{upload}/{upload_name(body.name)}") as file:
        for block in blocks:
            file.write(block)


def upload_name(given: str) -> str:
    r"""Return the name under which a file is stored, as close as possible to the name that the sender gave.

    Examples
    --------
    >>> upload_name("C:\\Music\\song.mp3"), upload_name("cover.jpg"), upload_name("")
    ('song.mp3', 'cover.jpg.audio', 'untitled')
    """
    name = clean_name(given.replace("\\", "/").rpartition("/")[2])
    # The content is audio, whatever the name says, and the sensor would pass over a file with such a name.
    return clean_name(f"{name}.audio") if is_companion(name) else name


def _checked(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Return all blocks after a look at the first ones."""
    head, impression, content = b"", Impression.UNKNOWN, ""
    for enough in (_HEAD_BYTES, _SEARCHED_BYTES):
        while len(head) < enough and (block := next(blocks, b"")):
            head += block
        impression, content = first_impression(head)
        if impression is not Impression.UNKNOWN:
            break
    if not head:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _("This file is empty."))
    if impression is not Impression.AUDIO:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _not_audio(content))
    return chain((head,), blocks)


def _not_audio(content: str) -> str:
    if not content:
        return _("This file is of no kind of audio that we know.")
    return _("This file is no audio. It looks like this: %(content)s.") % {"content": _(content)}
