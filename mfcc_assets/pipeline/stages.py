"""The stages of a first load: an index of the first tracks answers while the other files still wait.

The first stage has as many tracks as the settings say, and every later stage doubles the index. So the number of stages
grows with the logarithm of the library, and all of them together build about twice as much as the last one alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.library import Library
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.sql.records import Soundtrack

_FEW = 0.1
"""A stage that would leave at most this share of its index waiting takes these files too."""


def size_of_next_stage(library: Library) -> int:
    """Return the number of files without audio that the next stage analyses; 0 if an index has to be built first.

    The index that was built last counts, and not the published one: a run goes on from what a killed run analysed, and
    an index that was withdrawn or refused does not hold up the rest of the library. A stage takes the last files too if
    they are few, because a run of their own would take nearly as long for them as for all.
    """
    analysed, waiting = library.catalogue.track_counts()
    try:
        built = len(library.indexes.read(library.indexes.built_version()).tracks)
    except (NoPublishedIndex, CorruptIndex):
        built = 0
    wanted = max(library.settings.first_index_tracks, 2 * built)
    leaves_few = analysed + waiting <= wanted * (1 + _FEW)
    return max(wanted - analysed, waiting if leaves_few else 0) if analysed < wanted else 0


def files_of_stage(waiting: Mapping[str, Sequence[Soundtrack]], size: int | None) -> Collection[str]:
    """Choose the contents that a stage analyses.

    Contents whose soundtracks have been analysed before belong to every stage: the index already has these tracks. The
    others are taken in the order of their track ids, which are digests. So a stage is a random sample of the files, and
    not the albums of the first artists.

    Parameters
    ----------
    waiting
        Soundtracks that wait for their analysis, by content digest.
    size
        Largest number of contents that were never analysed. None: all of them.
    """
    new = {digest: min(track.track_id for track in tracks) for digest, tracks in waiting.items() if _is_new(tracks)}
    return waiting.keys() - sorted(new, key=new.__getitem__)[size:] if size is not None else waiting.keys()


def _is_new(tracks: Sequence[Soundtrack]) -> bool:
    return all(track.audio_id is None for track in tracks)


@dataclass(frozen=True)
class Coverage:
    """How much of the library an index has.

    Attributes
    ----------
    indexed
        Number of tracks of the index.
    expected
        Number of tracks that the index of the whole library has when no file waits, if all of them can be used. Files
        of equal audio count once as soon as they are analysed.
    """

    indexed: int
    expected: int

    @property
    def is_partial(self) -> bool:
        """True if tracks of the library are not in the index yet."""
        return self.indexed < self.expected

    def __str__(self) -> str:
        return f"{self.indexed:,} of {self.expected:,} tracks"


def coverage_of(library: Library, index: LibraryIndex) -> Coverage:
    """Return how much of the library an index has at present."""
    indexed = len(index.tracks)
    return Coverage(indexed, max(indexed, sum(library.catalogue.track_counts())))
