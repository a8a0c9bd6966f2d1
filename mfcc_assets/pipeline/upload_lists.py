"""Stored lists of uploads that are damaged. No answer needs them once it is stored, so a run deletes them."""

from pathlib import PurePosixPath

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import CorruptIndex
from mfcc_assets.ids import is_upload_id
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.port import CEPSTRA, Blob
from mfcc_assets.storage.last_check import CHECKED_IN_TURN, read_last_check, write_last_check

_CHECKED = "lists of uploads"


def remove_damaged_lists(library: Library) -> list[str]:
    """Delete damaged candidates and rankings of uploads, and return a sentence for each.

    An upload that waits for its answer gets it anew. Which files are read is told by `mfcc_assets.storage.last_check`.
    The sentences do not name the uploads, because they outlive them.
    """
    last = read_last_check(library.blobs, _CHECKED)
    due, done = last.due(filter(is_of_upload, library.rankings.stored()), CHECKED_IN_TURN)
    damaged = [blob for blob, fault in on_all_cores(lambda blob: fault_of_lists(library, blob), due) if fault]
    for blob in damaged:
        library.rankings.remove(blob)
    sentences = [
        f"{CEPSTRA}/{PurePosixPath(blob.name).parent}: the stored list of an upload is damaged. It is deleted, and the "
        "answer to the upload stays."
        for blob in damaged
    ]
    for sentence in sentences:
        library.repairs.record(sentence)
    done = done.advanced(due)
    if done != last:
        write_last_check(library.blobs, _CHECKED, done)
    return sentences


def is_of_upload(lists: Blob) -> bool:
    """Return True if these stored lists are those of an upload, and not of a shard."""
    return is_upload_id(PurePosixPath(lists.name).stem)


def fault_of_lists(library: Library, lists: Blob) -> str:
    """Return what is wrong with stored lists; nothing if they are intact or gone."""
    try:
        library.rankings.check(lists)
    except CorruptIndex as error:
        return f"{error.subject}: {error.what}"
    return ""
