"""From summaries to an index: what is searched, how good it is, and whether it may be published."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from mfcc_assets.core.errors import CorruptIndex, NoPublishedIndex, PublicationRefused
from mfcc_assets.core.evaluation import Hubness, Precision, Ranked, hubness, precision
from mfcc_assets.core.prefilter import Prefilter
from mfcc_assets.core.ranking import pooled_scales
from mfcc_assets.core.summary import Summaries
from mfcc_assets.library import Library
from mfcc_assets.stores.indexes import LibraryIndex

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
    tracks = {audio: track for audio, track in library.tables.audio().items() if audio in summarised}
    published = library.indexes.published_if_usable()
    if published is None or published.parameters.features != parameters.features:
        published = None
    known = published.tracks.keys() if published else set()
    new = [audio for audio in tracks if audio not in known]
    summaries = Summaries.of(
        [(audio, library.features.read_summary(audio, parameters.features)) for audio in new], parameters.features
    )
    if published:
        summaries = published.summaries.of_audio([audio for audio in tracks if audio in known]) + summaries
    # In one order, whichever were known: writers of the same version then write the same bytes.
    summaries = summaries.of_audio(sorted(tracks))

    if published and 0 < len(tracks) < RECALIBRATED_AT_GROWTH * published.calibrated_tracks:
        scales, calibrated_tracks = published.scales, published.calibrated_tracks
    elif tracks:
        scales, calibrated_tracks = pooled_scales(summaries.means, summaries.variances), len(tracks)
    else:
        scales, calibrated_tracks = np.ones(parameters.features.cepstra.coefficients), 0
    index = LibraryIndex(
        parameters=parameters,
        tracks={audio: tracks[audio] for audio in summaries.audio_ids},
        summaries=summaries,
        prefilter=Prefilter(summaries.audio_ids, summaries.embeddings, scales),
        calibrated_tracks=calibrated_tracks,
    )
    written = not _is_intact(library, index.version)
    if written:
        library.indexes.write(index)
    library.indexes.set_built(index.version)
    return BuiltIndex(index, added=len(new), removed=len(known - tracks.keys()), written=written)


@dataclass(frozen=True)
class Quality:
    """How good an index's rankings are; precision is by the artists that tags name, where they name enough."""

    precision: Precision | None
    hubness: Hubness


def measure_quality(library: Library, version: str) -> Quality:
    """Measure the rankings of an index over all shards, and keep the figures beside it."""
    ranked = _rankings(library, version)
    quality = Quality(precision(ranked, _artists(library, ranked)), hubness(ranked))
    library.indexes.write_quality(
        version, {**(asdict(quality.precision) if quality.precision else {}), **asdict(quality.hubness)}
    )
    return quality


def unusable_rankings(library: Library, version: str) -> tuple[set[str], set[str]]:
    """Audio ids of an index that have no ranking, and those that a ranking names although the library lacks them."""
    index = library.indexes.read(version)
    pairs = [library.indexes.read_pairs("rankings", version, shard) for shard in library.shards]
    queries = {query for found in pairs if found for query in found.queries}
    named = {candidate for found in pairs if found for candidate in found.candidates}
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
        library.indexes.read(version)
    except (NoPublishedIndex, CorruptIndex):
        return False
    return True
