"""What pages show of a whole index, made before it answers.

All of it is stored beside the index when it is needed first. A page may run with an identity that may only read, and no
listener should wait for it. So the run that publishes an index makes it.
"""

from mfcc_assets.library import Library
from mfcc_assets.pipeline.explain import random_pairs_of
from mfcc_assets.pipeline.map_points import map_points
from mfcc_assets.pipeline.nearness import pair_distances_of
from mfcc_assets.pipeline.pair_sentences import figures_of_sample
from mfcc_assets.search.index import LibraryIndex


def make_ready_to_show(library: Library, index: LibraryIndex) -> None:
    """Measure what pages show of an index, unless it is stored.

    These are the distances of random pairs, with which explanations and nearness compare a pair; the figures for words;
    and the map. Pictures are drawn by the same run: the assets `recommendation_quality` and `library_report` show them.
    The order of lists and how often each track is recommended are found by each process when it opens the index, since
    that is quicker than to write them for every version.

    Parameters
    ----------
    library
        The library.
    index
        An index with complete rankings.

    Raises
    ------
    NoPublishedIndex
        If rankings are missing.
    CorruptIndex
        If the index or its rankings are damaged.
    """
    if not index.tracks:
        return
    random_pairs_of(library, index)
    pair_distances_of(library, index)
    figures_of_sample(library, index)
    map_points(library, index)
