"""What a library is made of, and what it still waits for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mfcc_assets.core.catalogue import difference
from mfcc_assets.core.errors import BlobNotFound, CorruptIndex, NoPublishedIndex
from mfcc_assets.core.plots import coefficient_distributions
from mfcc_assets.library import Library
from mfcc_assets.stores.blobs import Blob
from mfcc_assets.stores.indexes import CONTAINER
from mfcc_assets.stores.records import Reject, Soundtrack


@dataclass(frozen=True)
class LibraryReport:
    """A library as its owner wants to see it.

    Attributes
    ----------
    states
        Number of soundtracks in each state.
    duplicates
        Names of the soundtracks that share their audio, a group an audio.
    """

    soundtracks: Sequence[Soundtrack]
    states: dict[str, int]
    duplicates: list[list[str]]
    rejects: list[Reject]


def describe_library(library: Library) -> LibraryReport:
    """Describe the library as its tables have it."""
    soundtracks = library.tables.soundtracks()
    by_audio: dict[str, list[str]] = {}
    for track in soundtracks:
        if track.audio_id:
            by_audio.setdefault(track.audio_id, []).append(track.blob_name)
    return LibraryReport(
        soundtracks=soundtracks,
        states=dict(Counter(track.state for track in soundtracks)),
        duplicates=[names for names in by_audio.values() if len(names) > 1],
        rejects=library.tables.rejects(),
    )


def picture_of_coefficients(library: Library) -> bytes | None:
    """How the coefficients are distributed over the published index, a PNG; None without any track in it.

    It is drawn once for an index: importing matplotlib and drawing take 0.7 s.
    """
    index = library.indexes.published_if_usable()
    if index is None or not index.tracks:
        return None
    name = f"indexes/{index.version}/coefficients.png"
    try:
        return library.blobs.read(CONTAINER, name)
    except BlobNotFound:
        picture = coefficient_distributions(index.summaries.means, "Mean of each coefficient, a value a track")
        library.blobs.write(CONTAINER, name, picture)
        return picture


def changed_soundtracks(library: Library) -> dict[str, Blob]:
    """Files that came or changed since a run over the library last looked at them, by name."""
    known = library.tables.manifest(library.shards)
    return {name: blob for name, blob in library.soundtrack_files().items() if known.get(name) != blob.etag}


def outstanding_work(library: Library) -> list[str]:
    """What a run over the library would change, as lines that name it; nothing where the library is up to date.

    It looks at the state and not at events, so that it finds what a killed run left behind, too.
    """
    listing = {name: blob.etag for name, blob in library.soundtrack_files().items()}
    found = difference(listing, library.tables.manifest(library.shards))
    lines = [f"{outcome} {name}" for name, outcome in found.outcomes.items() if outcome != "unchanged"]
    lines += [f"waiting {name}" for name in library.tables.waiting()]
    try:
        published = library.indexes.published().opened()
    except (NoPublishedIndex, CorruptIndex) as error:
        return [*lines, str(error)] if lines or library.tables.progress()[1] else lines
    if published.parameters != library.index_parameters:
        lines.append(f"parameters of index {published.version} are not those of the settings")
    if published.tracks != library.tables.audio():
        lines.append(f"index {published.version} was built from other tracks")
    size = min(library.settings.recommendations, len(published.tracks) - 1)
    unserved = library.tables.unserved_soundtracks(published.version, size)
    if unserved:
        lines.append(f"{unserved} soundtracks lack recommendations of index {published.version}")
    return lines
