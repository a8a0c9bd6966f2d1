"""The file in the body of a request, read block by block: the body itself, or a part of a form."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, File, MultipartDecoder, NeedData

from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.uploads.refusals import Refused

AROUND_A_FILE = 64 * 1024
"""Bytes that a form may have beside the file."""

_MOST_PARTS = 16
"""Parts of a form. The form of the page has one."""

_FIRST_BLOCK = 4096
_BLOCK = 1 << 16
_FILE_FIELD = "file"


@dataclass(frozen=True)
class Body:
    """A file that is coming.

    Attributes
    ----------
    name
        Name that the sender gave to the file.
    blocks
        The bytes of the file. It raises `Refused` at the end unless all bytes of the request have come: servers end a
        body silently when the sender is gone.
    """

    name: str
    blocks: Iterator[bytes]


def raw_body(request: Request) -> Body:
    """Return the file that is the body of a request, with the name in its address."""
    return Body(request.args.get("name", ""), _blocks(request))


def form_body(request: Request) -> Body:
    """Return the file in a form. Nothing of the form is kept in memory or on the disk.

    Raises
    ------
    Refused
        If there is no form, or no file in it.
    """
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not boundary:
        raise Refused(HTTPStatus.BAD_REQUEST, _("Choose a file first."))
    events = _events(request, boundary)
    for event in events:
        if isinstance(event, File) and event.name == _FILE_FIELD and event.filename:
            return Body(event.filename, _data(events))
    raise Refused(HTTPStatus.BAD_REQUEST, _("Choose a file first."))


def _data(events: Iterator[Event]) -> Iterator[bytes]:
    for event in events:
        if isinstance(event, Data):
            yield bytes(event.data)
            if not event.more_data:
                break
    for _rest in events:
        pass


def _events(request: Request, boundary: str) -> Iterator[Event]:
    try:
        decoder = MultipartDecoder(boundary.encode("ascii"), AROUND_A_FILE + 2 * _BLOCK, max_parts=_MOST_PARTS)
        for block in chain(_blocks(request), [None]):
            # After the last block, the decoder fails unless the form has its end.
            decoder.receive_data(block)
            while not isinstance(event := decoder.next_event(), NeedData):
                yield event
                if isinstance(event, Epilogue):
                    break
    except (ValueError, RequestEntityTooLarge) as error:
        raise _damaged() from error


def _damaged() -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, _("The form is damaged. Send it again."))


def _blocks(request: Request) -> Iterator[bytes]:
    expected = request.content_length or 0
    # At the limit itself, Werkzeug refuses the read that would find the end of the body.
    request.max_content_length = expected + 1
    taken = 0
    try:
        while block := request.stream.read(_BLOCK if taken else _FIRST_BLOCK):
            taken += len(block)
            yield block
    except ClientDisconnected as error:
        # Werkzeug raises this for a body that ends early and for one that stalls, if it limits the stream itself.
        raise (_stalled() if isinstance(error.__context__, OSError) else _cut()) from error
    except OSError as error:
        raise _stalled() from error
    if taken != expected:
        raise _cut()


def _stalled() -> Refused:
    said = _("The file did not come fast enough, so nothing was kept. Send it again.")
    return Refused(HTTPStatus.REQUEST_TIMEOUT, said)


def _cut() -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, _("Only a part of the file has come, so nothing was kept. Send it again."))
