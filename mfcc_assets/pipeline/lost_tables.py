"""Detect that the database was lost beside a published index, so that nobody takes the library for an empty one."""

from mfcc_assets.errors import LostTables
from mfcc_assets.library import Library
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.similarity.pairwise import evenly_spaced

_SAMPLE = 50
"""Number of tracks of an index that are looked for."""


def check_tables(library: Library, index: LibraryIndex | None) -> None:
    """Raise `LostTables` if an index has tracks and the database knows none of a sample of them."""
    if index is None or not index.tracks:
        return
    sample = [index.tracks.audio_ids[row] for row in evenly_spaced(len(index.tracks), _SAMPLE).tolist()]
    if not library.catalogue.tracks_of_audio(sample):
        raise LostTables(
            f"the database has none of the soundtracks of index {index.version}, which names {len(index.tracks)}",
            subject=library.database.name,
            remedy="`mfcc add` without a path reads all soundtracks in again",
        )
