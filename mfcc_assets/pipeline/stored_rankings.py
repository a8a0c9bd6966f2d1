"""Reads the candidates and rankings that are stored for an index."""

import logging
from collections.abc import Iterator

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.ids import AudioId, UploadId
from mfcc_assets.library import Library
from mfcc_assets.similarity.rankings import RankedList
from mfcc_assets.storage.ranked_lists import RankedLists
from mfcc_assets.storage.ranking_store import Stage

_logger = logging.getLogger(__name__)


def required_lists(library: Library, stage: Stage, version: str, shard: str) -> RankedLists:
    """Read the stored lists of a shard.

    Parameters
    ----------
    library
        The library.
    stage
        ``candidates`` or ``rankings``.
    version
        Version of the index.
    shard
        Name of the shard.

    Raises
    ------
    NoPublishedIndex
        If no lists are stored for this version.
    CorruptIndex
        If the lists are damaged.
    """
    lists = library.rankings.read(stage, version, shard)
    if lists is None:
        raise _missing(stage, version, shard)
    return lists


def required_upload_list(library: Library, stage: Stage, version: str, upload: UploadId) -> RankedList:
    """Read the stored list of an upload, as `required_lists` does."""
    found = library.rankings.read_upload(stage, version, upload)
    if found is None:
        raise _missing(stage, version, upload)
    return found


def _missing(stage: Stage, version: str, shard_or_upload: str) -> NoPublishedIndex:
    return NoPublishedIndex(
        f"the {stage} of {shard_or_upload} are missing",
        subject=f"index {version}",
        remedy=f"Materialise the {stage} of all shards, or answer the upload again",
    )


def stored_rankings(library: Library, version: str) -> Iterator[tuple[AudioId, RankedList]]:
    """Yield the audio id and the ranking of each track of an index version.

    Shards without rankings yield nothing, and neither do shards whose rankings are damaged, apart from a warning.
    """
    for shard in library.shards:
        lists, _ = intact_lists(library, "rankings", version, shard)
        if lists is not None:
            yield from lists.by_query().items()


def intact_lists(library: Library, stage: Stage, version: str, shard: str) -> tuple[RankedLists | None, bool]:
    """Return the lists of a shard, or None if they are missing or damaged, and whether they are damaged."""
    try:
        return library.rankings.read(stage, version, shard), False
    except CorruptIndex as error:
        _logger.warning("%s", error)
        return None, True
