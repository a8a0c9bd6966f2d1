"""From summaries to an index: what is searched, how good it is, and whether it may be published."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.core.cascade import OUTLINE
from mfcc_assets.core.errors import CorruptIndex, NoPublishedIndex, PublicationRefused
from mfcc_assets.core.evaluation import Hubness, Precision, Ranked, hubness, precision
from mfcc_assets.core.identifiers import Identifiers, TrackOfAudio
from mfcc_assets.core.matching import SHAPES, Sketches
from mfcc_assets.core.parameters import FeaturesParameters
from mfcc_assets.core.prefilter import Prefilter
from mfcc_assets.core.ranking import pooled_scales
from mfcc_assets.core.stacked import Stacked
from mfcc_assets.core.summary import Summaries, Summary
from mfcc_assets.library import Library
from mfcc_assets.stages.certifying import measured_recall
from mfcc_assets.stores.features import FeatureStore
from mfcc_assets.stores.indexes import RECALL
from mfcc_assets.stores.library_index import IndexParameters, LibraryIndex

_AUDIO_AT_ONCE = 1000
"""Summaries in memory at a time: 40 MB."""

RECALIBRATED_AT_GROWTH = 2
"""Scales are measured again when the library has doubled. Measured every time, one new track would change them all a
little, and with them every distance: nothing could be reused."""


@dataclass(frozen=True)
class BuiltIndex:
    """An index, and what building it came to."""

    index: LibraryIndex
    added: int
    removed: int
    written: bool


def build_index(library: Library) -> BuiltIndex:
    """Build the index of every audio that has a summary, and remember it as the one built last.

    Rows of the published index are taken over: only the summaries of new audio are read.
    """
    parameters = library.index_parameters
    summarised = library.features.audio_with_summary(parameters.features)
    tracks = TrackOfAudio.of({audio: track for audio, track in library.tables.audio().items() if audio in summarised})
    former = library.indexes.published_if_usable()
    if former is None or former.parameters.features != parameters.features:
        former = _empty_index(parameters)
    rows = former.tracks.rows(tracks.audio_ids)
    summaries, outlines, sketches = _gathered(library, tracks.audio_ids, former, rows)
    if 0 < len(tracks) < RECALIBRATED_AT_GROWTH * former.calibrated_tracks:
        prefilter = former.prefilter.with_tracks(tracks.audio_ids, summaries.embeddings)
        calibrated_tracks = former.calibrated_tracks
    else:
        scales = pooled_scales(summaries.means, summaries.variances) if tracks else former.scales
        prefilter = Prefilter(tracks.audio_ids, summaries.embeddings, scales)
        calibrated_tracks = len(tracks)
    index = LibraryIndex.of(parameters, tracks, summaries, outlines, sketches, prefilter, calibrated_tracks)
    written = not _is_intact(library, index.version)
    if written:
        library.indexes.write(index)
    library.indexes.set_built(index.version)
    kept = int((rows >= 0).sum())
    return BuiltIndex(index, added=len(tracks) - kept, removed=len(former.tracks) - kept, written=written)


def _empty_index(parameters: IndexParameters) -> LibraryIndex:
    tracks = TrackOfAudio.of({})
    summaries = Summaries.of([], parameters.features)
    coefficients = parameters.features.cepstra.coefficients
    outlines = Stacked.of([], coefficients)
    prefilter = Prefilter((), summaries.embeddings, np.ones(coefficients))
    return LibraryIndex.of(parameters, tracks, summaries, outlines, Sketches.of([]), prefilter, calibrated_tracks=0)


def _gathered(
    library: Library, audio_ids: Identifiers, former: LibraryIndex, rows: NDArray[np.int64]
) -> tuple[Summaries, Stacked, Sketches]:
    """What is searched of some audio: of those with a row in a former index out of it, of the others as stored."""
    parameters = former.parameters.features
    gathered = [former.summaries]
    outlines = _Spool(np.dtype(np.float16), parameters.cepstra.coefficients)
    sketches = _Spool(np.dtype(np.float32), SHAPES)
    for first in range(0, len(audio_ids), _AUDIO_AT_ONCE):
        some = slice(first, first + _AUDIO_AT_ONCE)
        new = [audio for audio, row in zip(audio_ids[some], rows[some], strict=True) if row < 0]
        read = dict(_read_summaries(library.features, new, parameters))
        gathered.append(Summaries.of([read[audio] for audio in new], parameters))
        contours = Stacked.of((read[audio].contour for audio in new), parameters.cepstra.coefficients)
        outlined = dict(zip(new, iter(contours.coarser(OUTLINE)), strict=True))
        for audio, row in zip(audio_ids[some], rows[some], strict=True):
            outlines.append(former.outlines[row] if row >= 0 else outlined[audio])
            sketches.append(former.sketches[row] if row >= 0 else read[audio].sketch)
    order = rows.copy()
    order[rows < 0] = len(former.tracks) + np.arange((rows < 0).sum())
    return (
        Summaries.joined(gathered).rows(order),
        Stacked(*outlines.mapped()),
        Sketches(*sketches.mapped(), audio_ids),
    )


class _Spool:
    """Frames of one track after the other, in a file that has no name: the sketches of a million tracks take 12 GB."""

    def __init__(self, dtype: np.dtype[Any], width: int) -> None:
        self._file, self._dtype, self._width = tempfile.TemporaryFile(), dtype, width  # noqa: SIM115  closed when mapped
        self._starts = [0]

    def append(self, frames: NDArray[np.floating]) -> None:
        self._file.write(np.ascontiguousarray(frames, self._dtype).data)
        self._starts.append(self._starts[-1] + len(frames))

    def mapped(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """All frames, mapped into memory, and where each track's begin."""
        starts = np.array(self._starts, np.int64)
        with self._file:
            self._file.flush()
            shape = (int(starts[-1]), self._width)
            # An empty file cannot be mapped.
            frames = (
                np.memmap(self._file, self._dtype, mode="r", shape=shape)
                if len(starts) > 1
                else np.empty(shape, self._dtype)
            )
        return frames, starts


def _read_summaries(
    features: FeatureStore, audio_ids: Sequence[str], parameters: FeaturesParameters
) -> Iterator[tuple[str, Summary]]:
    return on_all_cores(lambda audio: features.read_summary(audio, parameters), audio_ids)


@dataclass(frozen=True)
class Quality:
    """How good an index's rankings are.

    Attributes
    ----------
    precision
        By the artists that tags name, where they name enough.
    recall
        Share of the true nearest tracks that the rankings name; see `measured_recall`.
    """

    precision: Precision | None
    hubness: Hubness
    recall: float


def measure_quality(library: Library, version: str) -> Quality:
    """Measure the rankings of an index over all shards, and keep the figures beside it.

    The recall is measured when the scales are, and then stands for all indexes that are searched with these.
    """
    ranked = _rankings(library, version)
    index = library.indexes.read(version)
    recall = _known_recall(library, index)
    quality = Quality(
        precision(ranked, _artists(library, ranked)),
        hubness(ranked),
        measured_recall(library, index) if recall is None else recall,
    )
    figures = {**(asdict(quality.precision) if quality.precision else {}), **asdict(quality.hubness)}
    library.indexes.write_quality(version, {**figures, RECALL: quality.recall})
    return quality


def _known_recall(library: Library, index: LibraryIndex) -> float | None:
    published = library.indexes.published_if_usable()
    for former in (index, published):
        if (
            former is not None
            and former.parameters == index.parameters
            and np.array_equal(former.scales, index.scales)
            and (recall := library.indexes.read_quality(former.version).get(RECALL)) is not None
        ):
            return recall
    return None


def unusable_rankings(library: Library, version: str) -> tuple[set[str], set[str]]:
    """Audio ids of an index that have no ranking, and those that a ranking names although the library lacks them."""
    index = library.indexes.read(version)
    queries: set[str] = set()
    named: set[str] = set()
    for shard in library.shards:
        pairs = library.indexes.read_pairs("rankings", version, shard)
        if pairs is not None:
            queries.update(pairs.queries)
            named.update(pairs.candidates)
    # The only track of a library has nothing to be compared with.
    expected = set(index.tracks) if len(index.tracks) > 1 else set()
    return expected - queries, named - set(library.tables.audio())


@dataclass(frozen=True)
class QualityVerdict:
    """Whether an index may take the place of the published one, and the precision at five of both."""

    allowed: bool
    candidate: float | None
    published: float | None


def judge_quality(library: Library, version: str) -> QualityVerdict:
    """Compare an index with the published one: precision may fall by the margin of the settings.

    Both are measured anew by the audio that both know, by lists of one length and by the artists of today. Neither
    music that came or went nor other tags make an index worse: eight tracks by others, added to nine by three artists,
    took the precision over all tracks from 0.38 to 0.25. A library whose tags name too few artists cannot be judged,
    and passes.
    """
    published_version = _published_version(library)
    if published_version in (None, version):
        return QualityVerdict(True, None, None)
    candidate, published = _on_common_ground(_rankings(library, version), _rankings(library, published_version))
    artists = _artists(library, candidate)
    ours, theirs = precision(candidate, artists), precision(published, artists)
    if ours is None or theirs is None:
        return QualityVerdict(True, None, None)
    return QualityVerdict(ours.at_5 >= theirs.at_5 - library.settings.quality_margin, ours.at_5, theirs.at_5)


def _rankings(library: Library, version: str) -> dict[str, list[str]]:
    """For each audio of an index that is still in the library the others, best first."""
    tracks = library.tables.audio()
    return {
        query: [candidate for candidate, _ in found if candidate in tracks]
        for shard in library.shards
        if (pairs := library.indexes.read_pairs("rankings", version, shard)) is not None
        for query, found in pairs.by_query().items()
        if query in tracks
    }


def _artists(library: Library, audio_ids: Iterable[str]) -> dict[str, str]:
    return {audio: track.artist for audio, track in library.tables.tracks_of_audio(audio_ids).items() if track.artist}


def _on_common_ground(first: Ranked, second: Ranked) -> tuple[Ranked, Ranked]:
    """Two rankings of the queries that both have, without what only one of them knows, and with lists equally long."""
    common = first.keys() & second.keys()
    pairs = {
        query: [[audio for audio in ranked[query] if audio in common] for ranked in (first, second)] for query in common
    }
    return (
        {query: ours[: len(theirs)] for query, (ours, theirs) in pairs.items()},
        {query: theirs[: len(ours)] for query, (ours, theirs) in pairs.items()},
    )


def publish_built_index(library: Library) -> tuple[str | None, str]:
    """Let the index built last answer from now on; its version comes second, the former one first.

    Raises
    ------
    PublicationRefused
        What the blocking checks look at does not hold. A run of this step alone passes none of them, and a second run
        may have built another index since they passed.
    """
    former, version = _published_version(library), library.indexes.built_version()
    if former == version:
        return former, version
    without_ranking, unknown = unusable_rankings(library, version)
    if without_ranking or unknown:
        raise _refused(
            version, f"{len(without_ranking)} tracks have no ranking, {len(unknown)} ranked ones are unknown"
        )
    if not judge_quality(library, version).allowed:
        raise _refused(version, "it recommends worse than the published one")
    library.indexes.publish(version)
    return former, version


def _refused(version: str, what: str) -> PublicationRefused:
    remedy = "Materialise soundtrack_candidates and what follows it over all shards, and look at its checks"
    return PublicationRefused(what, subject=f"index {version}", remedy=remedy)


def _published_version(library: Library) -> str | None:
    try:
        return library.indexes.published_version()
    except CorruptIndex:
        return None  # a damaged pointer is replaced by the next publication


def _is_intact(library: Library, version: str) -> bool:
    try:
        library.indexes.read(version).opened()
    except (NoPublishedIndex, CorruptIndex):
        return False
    return True
