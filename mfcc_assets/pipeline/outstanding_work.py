"""Outstanding work: everything that a run over the library would change."""

from collections.abc import Mapping

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.ids import TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import index_parameters
from mfcc_assets.pipeline.list_rules import selection_of
from mfcc_assets.pipeline.missing import files_and_missing
from mfcc_assets.pipeline.publication import is_withheld
from mfcc_assets.pipeline.recommendations import recommended_lists
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.blobs.port import Blob
from mfcc_assets.storage.index_store import no_index
from mfcc_assets.texts import counted


def changed_soundtracks(library: Library, files: Mapping[str, Blob]) -> dict[str, Blob]:
    """Return the files that are new or have changed since the last run over the library, by name."""
    known = library.catalogue.manifest(library.shards)
    return {name: blob for name, blob in files.items() if known.get(name) != blob.etag}


def outstanding_work(library: Library) -> list[str]:
    """Return a line for each thing that a run over the library would change. There is none if it is up to date.

    The function compares states and does not rely on events. It therefore also finds work that a killed run left.
    """
    files = files_and_missing(library)
    found = files.difference(library.catalogue.manifest(library.shards))
    lines = [f"{outcome} {name}" for name, outcome in found.outcomes.items() if outcome != "unchanged"]
    lines += [f"waiting {name}" for name in library.catalogue.waiting() if not files.is_away(name)]
    if next(library.features.former_cepstra(), None):
        lines.append("cepstra are stored as an older version of this program wrote them")
    try:
        version = library.indexes.published_version()
        if version is None:
            return [*lines, str(no_index())] if lines or library.catalogue.progress()[1] else lines
        faults = library.indexes.pointer_faults()
        return [*lines, *faults, *_outstanding_of_index(library, library.indexes.read(version).load_all())]
    except (NoPublishedIndex, CorruptIndex) as error:
        return [*lines, str(error)]


def _outstanding_of_index(library: Library, published: LibraryIndex) -> list[str]:
    differences = []
    if published.parameters != index_parameters(library):
        differences.append(f"index {published.version} was built with other parameters than those of the settings")
    if published.tracks != library.catalogue.track_ids_by_audio():
        differences.append(f"index {published.version} was built from other tracks")
    if differences and is_withheld(library):
        # An index of other tracks cannot recommend for all tracks of the library. Its rows are complete once no rows of
        # another index are left.
        differences = []
        unserved = library.recommendations.soundtracks_of_other_indexes(published.version)
    else:
        count = min(library.settings.recommendations, len(published.tracks) - 1)
        short = library.recommendations.unserved_soundtracks(published.version, count)
        unserved = 0 if _are_as_long_as_possible(library, published, short) else len(short)
    lack = f"{counted(unserved, 'soundtrack')} {'lacks' if unserved == 1 else 'lack'}"
    missing = [f"{lack} recommendations of index {published.version}"] if unserved else []
    return differences + missing


def _are_as_long_as_possible(library: Library, index: LibraryIndex, lengths: Mapping[TrackId, int]) -> bool:
    """Return True if short lists cannot be longer, since the library holds recordings in several encodings.

    Parameters
    ----------
    lengths
        Length of each short list, by track id.
    """
    if not lengths:
        return True
    selection = selection_of(library, index, library.catalogue.credits())
    for audio_ids in library.catalogue.audio_of_soundtracks().values():
        queries = {track: audio_id for track, audio_id in audio_ids.items() if track in lengths}
        try:
            lists = recommended_lists(library, index, selection, queries)
        except NoPublishedIndex:
            return False
        if any(len(lists[track]) != lengths[track] for track in lists):
            return False
    return True
