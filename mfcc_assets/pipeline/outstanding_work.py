"""What a run over the library would change."""

from collections.abc import Mapping

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import index_parameters
from mfcc_assets.pipeline.list_rules import selection_of
from mfcc_assets.pipeline.music_files import difference, soundtrack_files
from mfcc_assets.pipeline.publication import is_withheld
from mfcc_assets.pipeline.rankings import recommended_lists
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.blobs.port import Blob


def changed_soundtracks(library: Library, files: Mapping[str, Blob]) -> dict[str, Blob]:
    """Those of the files that came or changed since a run over the library last looked at them, by name."""
    known = library.catalogue.manifest(library.shards)
    return {name: blob for name, blob in files.items() if known.get(name) != blob.etag}


def outstanding_work(library: Library) -> list[str]:
    """What a run over the library would change, as lines that name it; nothing where the library is up to date.

    It looks at the state and not at events, so that it finds what a killed run left behind, too.
    """
    listing = {name: blob.etag for name, blob in soundtrack_files(library).items()}
    found = difference(listing, library.catalogue.manifest(library.shards))
    lines = [f"{outcome} {name}" for name, outcome in found.outcomes.items() if outcome != "unchanged"]
    lines += [f"waiting {name}" for name in library.catalogue.waiting()]
    try:
        return lines + _outstanding_of_index(library, library.indexes.published().opened())
    except (NoPublishedIndex, CorruptIndex) as error:
        return [*lines, str(error)] if lines or library.catalogue.progress()[1] else lines


def _outstanding_of_index(library: Library, published: LibraryIndex) -> list[str]:
    differences = []
    if published.parameters != index_parameters(library.settings):
        differences.append(f"parameters of index {published.version} are not those of the settings")
    if published.tracks != library.catalogue.audio():
        differences.append(f"index {published.version} was built from other tracks")
    if differences and is_withheld(library):
        # An index of other tracks cannot recommend for all there are; its rows are right when no other's are left.
        differences = []
        unserved = library.recommendations.soundtracks_of_other_indexes(published.version)
    else:
        size = min(library.settings.recommendations, len(published.tracks) - 1)
        served = library.recommendations.unserved_soundtracks(published.version, size)
        unserved = 0 if _have_all_there_is(library, published, served) else len(served)
    missing = [f"{unserved} soundtracks lack recommendations of index {published.version}"] if unserved else []
    return differences + missing


def _have_all_there_is(library: Library, index: LibraryIndex, served: Mapping[str, int]) -> bool:
    """Whether these lists are only short because the library is, and holds recordings twice."""
    if not served:
        return True
    selection = selection_of(library, index, library.catalogue.credits())
    for shard in library.shards:
        audio_ids = library.catalogue.audio_of_soundtracks(shard)
        queries = {track: audio_id for track, audio_id in audio_ids.items() if track in served}
        try:
            lists = recommended_lists(library, index, selection, queries)
        except NoPublishedIndex:
            return False
        if any(len(lists[track]) != served[track] for track in lists):
            return False
    return True
