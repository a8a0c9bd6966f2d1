"""The uploads of a sender, page by page."""

from collections.abc import Callable, Collection
from contextlib import suppress
from heapq import merge

from mfcc_assets.errors import DocumentNotFound
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.upload_state import upload_state
from mfcc_assets.storage.documents.port import BEFORE_THE_NEWEST, Document, place_of
from mfcc_assets.storage.sql import cursors
from mfcc_assets.storage.sql.cursors import Page, cursor_of

_KIND = "uploads"
_MOST_SEARCHED = 1000
"""Uploads that are looked through for one page. The uploads of others are among them."""


def uploads_page(
    library: Library,
    belongs: Callable[[UploadId], bool],
    *,
    after: str | None,
    size: int,
    lately_sent: Collection[UploadId] = (),
) -> Page[Document]:
    """Return documents of the uploads of one sender, the last received first.

    A page may have fewer than `size` items although others follow, because it ends when 1,000 uploads of all senders
    were looked through.

    Parameters
    ----------
    library
        The library.
    belongs
        Function that tells whether the sender may see an upload.
    after
        Cursor of the page; None for the first one.
    size
        Largest number of items.
    lately_sent
        Uploads of which nothing may have written a document yet.

    Raises
    ------
    NotACursor
        If the cursor is not one of this list.
    """
    place = BEFORE_THE_NEWEST
    if after is not None:
        received, last = cursors.place_of(after, _KIND, str, str)
        place = str(received), str(last)
    recorded = library.documents.find(after=place)
    unseen = [stored for stored in _without_document(library, lately_sent) if place_of(stored) < place]
    items: list[Document] = []
    for number, stored in enumerate(merge(unseen, recorded, key=place_of, reverse=True)):
        if len(items) == size or number == _MOST_SEARCHED:
            return Page(items, cursor_of(_KIND, *place))
        place = place_of(stored)
        if belongs(UploadId(stored.id)):
            items.append(stored)
    return Page(items, None)


def _without_document(library: Library, uploads: Collection[UploadId]) -> list[Document]:
    """Return what documents of these uploads would say, for those that have none yet, the last received first."""
    recorded, found = library.documents.get_many(uploads), []
    for upload in uploads:
        if upload not in recorded:
            with suppress(DocumentNotFound):  # it was deleted meanwhile
                found.append(upload_state(library, upload))
    return sorted(found, key=place_of, reverse=True)
