"""How good the rankings of an index are, judged by what the library's own tags say."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import CorruptIndex
from mfcc_assets.evaluation.labelled import LabelledSet
from mfcc_assets.evaluation.manifest import LabelledTrack
from mfcc_assets.evaluation.metrics import EVALUATED_COUNT, Hubness, Precision, hubness, precision, recall
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answer import certified, search_for
from mfcc_assets.pipeline.rankings import required_lists
from mfcc_assets.plots.history import history
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets.storage.index_store import RECALL
from mfcc_assets.storage.secrets.signing_key import signing_key

OTHER_ALBUMS = "other_albums_"
"""Before the names of figures that leave the tracks of the query's own album out."""

_DRAWN = {
    "precision at 5": "at_5",
    "precision without own album": f"{OTHER_ALBUMS}at_5",
    "hit among 5": "hit_at_5",
    "never recommended": "never_recommended",
    "recall of the search": RECALL,
}

_MOST_DRAWN = 30
_LETTERS_OF_A_VERSION = 6


@dataclass(frozen=True)
class Quality:
    """How good an index's rankings are.

    Attributes
    ----------
    precision
        By the artists that tags name, where they name enough.
    other_albums
        The same without the tracks of the query's own album, which share its mastering: any method hears that.
    recall
        Share of the true nearest tracks that the rankings name; see `measured_recall`.
    """

    precision: Precision | None
    other_albums: Precision | None
    hubness: Hubness
    recall: float

    @property
    def figures(self) -> dict[str, float]:
        """Every figure by the name under which it is kept with the index."""
        of_precision = asdict(self.precision) if self.precision else {}
        of_others = asdict(self.other_albums) if self.other_albums else {}
        return {
            **of_precision,
            **{f"{OTHER_ALBUMS}{name}": figure for name, figure in of_others.items()},
            **asdict(self.hubness),
            RECALL: self.recall,
        }


def labelled_set(library: Library, folder: Path, tracks: Sequence[LabelledTrack]) -> LabelledSet:
    """Labelled tracks whose features are made by the settings of a library.

    They are kept below its home, apart from its own: the library is left as it is.
    """
    settings = library.settings
    home = settings.folder / "evaluation"
    store = FeatureStore(LocalBlobs(home / "blobs", signing_key(home)))
    return LabelledSet(
        store, folder, tracks, parameters=settings.features, limits=settings.limits, for_each=on_all_cores
    )


def measure_quality(library: Library, version: str) -> Quality:
    """Measure the rankings of an index over all shards, and keep the figures beside it.

    The recall is measured when the scales are, and then stands for all indexes that are searched with these.
    """
    ranked = stored_rankings(library, version)
    index = library.indexes.read(version)
    recall = _known_recall(library, index)
    credited = {audio_id: credit for audio_id, credit in library.catalogue.credits().items() if audio_id in ranked}
    artists = {audio_id: credit.artist for audio_id, credit in credited.items() if credit.artist}
    albums = {audio_id: credit.album for audio_id, credit in credited.items() if credit.album}
    quality = Quality(
        precision(ranked, artists),
        precision(ranked, artists, albums),
        hubness(ranked),
        measured_recall(library, index) if recall is None else recall,
    )
    library.indexes.write_quality(version, quality.figures)
    return quality


def picture_of_history(library: Library, version: str) -> bytes:
    """The figures of every publication, and of an index that was measured since, as a PNG.

    It is drawn once for each history: importing matplotlib and drawing take 0.7 s.
    """
    versions = [publication.version for publication in library.indexes.history()]
    if not versions or versions[-1] != version:
        versions.append(version)
    drawn = [(name, _known_figures(library, name)) for name in versions[-_MOST_DRAWN:]]
    points = [(name[:_LETTERS_OF_A_VERSION], measured) for name, measured in drawn if measured]
    digest = hashlib.blake2b(json.dumps(points).encode(), digest_size=8).hexdigest()

    def draw() -> bytes:
        figures = {
            label: [measured.get(name) for _, measured in points]
            for label, name in _DRAWN.items()
            if any(name in measured for _, measured in points)
        }
        return history([name for name, _ in points], figures, "Quality of the indexes that answered, the last one new")

    return library.indexes.drawn_once(version, f"history-{digest}.png", draw)


def _known_figures(library: Library, version: str) -> Mapping[str, float | None]:
    try:
        return library.indexes.read_quality(version)
    except CorruptIndex:
        return {}  # a picture is no reason to publish nothing


def stored_rankings(library: Library, version: str) -> dict[str, list[str]]:
    """For each audio of an index that is still in the library the others, best first."""
    tracks = library.catalogue.audio()
    return {
        query: [candidate for candidate, _ in found if candidate in tracks]
        for shard in library.shards
        if (pairs := library.rankings.read("rankings", version, shard)) is not None
        for query, found in pairs.by_query().items()
        if query in tracks
    }


def artists_of(library: Library, audio_ids: Iterable[str]) -> dict[str, str]:
    """The artist of each audio whose tags name one."""
    return {
        audio_id: track.artist
        for audio_id, track in library.catalogue.tracks_of_audio(audio_ids).items()
        if track.artist
    }


def _known_recall(library: Library, index: LibraryIndex) -> float | None:
    published = library.indexes.published_if_usable()
    for former in (index, published):
        if (
            former is not None
            and former.is_calibrated_as(index)
            and (recall := library.indexes.read_quality(former.version).get(RECALL)) is not None
        ):
            return recall
    return None


_PAIRS_PROVEN = 50_000
"""RankedLists that the recall of an index is measured by: some 2 s. In a library of 500, a hundred queries."""

_LEAST_QUERIES = 10


def measured_recall(library: Library, index: LibraryIndex) -> float:
    """Share of the true nearest tracks that the stored rankings name, over a sample of the library.

    Raises
    ------
    NoPublishedIndex
        Rankings are missing.
    FeaturesMissing
        A track cannot be compared.
    """
    tracks = list(index.tracks)
    queries = min(len(tracks), max(_LEAST_QUERIES, _PAIRS_PROVEN // max(1, len(tracks))))
    # Audio ids are digests: evenly spaced, they are a sample as random as any, and the same each time.
    sample = set(tracks[:: max(1, len(tracks) // max(1, queries))])
    found = {
        audio_id: ranked[:EVALUATED_COUNT]
        for shard in library.shards
        for audio_id, ranked in required_lists(library, "rankings", index.version, shard).by_query().items()
        if audio_id in sample
    }
    truth = {
        audio_id: certified(
            library,
            index,
            search_for(library, index, audio_id),
            ranked,
            count=EVALUATED_COUNT,
            others=[other for other in tracks if other != audio_id],
        )
        for audio_id, ranked in found.items()
    }
    return recall(_names(truth), _names(found))


def _names(ranked: dict[str, list[tuple[str, float]]]) -> dict[str, list[str]]:
    return {query: [audio_id for audio_id, _ in found] for query, found in ranked.items()}
