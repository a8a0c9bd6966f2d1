"""Detect that the database was lost beside a published index, so that nobody takes the library for an empty one."""

from mfcc_assets.errors import LostTables
from mfcc_assets.library import Library
from mfcc_assets.similarity.pairwise import evenly_spaced

_SAMPLE = 50
"""Number of tracks of an index that are looked for."""


def check_tables(library: Library) -> None:
    """Check that the database knows the soundtracks of the published index.

    Raises
    ------
    LostTables
        If the index has tracks, and the database knows none of a sample of them.
    CorruptIndex
        If the index, or the pointer to it, is damaged.
    """
    if library.indexes.published_version() is None:
        return
    index = library.indexes.published()
    sample = [index.tracks.audio_ids[row] for row in evenly_spaced(len(index.tracks), _SAMPLE).tolist()]
    if sample and not library.catalogue.tracks_of_audio(sample):
        raise LostTables(
            f"the database has none of the soundtracks of index {index.version}, which names {len(index.tracks)}",
            subject=library.database.name,
            remedy="`mfcc sync` reads all soundtracks in again",
        )
