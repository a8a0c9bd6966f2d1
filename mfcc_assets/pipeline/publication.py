"""Which version of the index answers: what a new one must come up to, and the way back to the one before."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mfcc_assets.errors import CorruptIndex, NoPublishedIndex, PublicationRefused
from mfcc_assets.evaluation.metrics import RankedIds, hubness, precision
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import index_parameters
from mfcc_assets.pipeline.quality import artists_of, stored_rankings
from mfcc_assets.pipeline.rankings import recommend_soundtracks
from mfcc_assets.search.index import IndexParameters, LibraryIndex
from mfcc_assets.storage.index_history import BY_HAND, ROLLBACK, answered_before, withdrawn

ENOUGH_FOR_HUBNESS = 100
"""Tracks. Of fewer, how many no list names is a matter of chance: of ten, one more is a tenth."""


def unusable_rankings(library: Library, version: str) -> tuple[set[str], set[str]]:
    """Audio ids of an index that have no ranking, and those that a ranking names although the library lacks them."""
    index = library.indexes.read(version)
    queries: set[str] = set()
    named: set[str] = set()
    for shard in library.shards:
        pairs = library.rankings.read("rankings", version, shard)
        if pairs is not None:
            queries.update(pairs.queries)
            named.update(pairs.candidates)
    # The only track of a library has nothing to be compared with.
    expected = set(index.tracks) if len(index.tracks) > 1 else set()
    return expected - queries, named - set(library.catalogue.audio())


@dataclass(frozen=True)
class QualityVerdict:
    """Whether an index is good enough to take the place of the published one.

    Attributes
    ----------
    figures
        What was compared, by name, the published one's under ``published_<name>``; empty where nothing could be.
    faults
        What is worse by more than the margin, as sentences.
    """

    figures: Mapping[str, float] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        return not self.faults


def judge_quality(library: Library, version: str) -> QualityVerdict:
    """Compare an index with the published one: no figure may be worse by more than the margin of the settings.

    These are the precision at five by artist and, among `ENOUGH_FOR_HUBNESS` tracks, the share of tracks that no list
    of five names. Both are measured anew by the audio that both indexes know, by lists of one length and by the artists
    of today. Neither music that came or went nor other tags make an index worse: eight tracks by others, added to nine
    by three artists, took the precision over all tracks from 0.38 to 0.25. What a library has too few tracks or tags
    for is not judged.
    """
    published_version = _published_version(library)
    if published_version is None or published_version == version:
        return QualityVerdict()
    candidate, published = _on_common_ground(
        stored_rankings(library, version), stored_rankings(library, published_version)
    )
    margin, figures, faults = library.settings.quality_margin, dict[str, float](), []
    artists = artists_of(library, candidate)
    ours, theirs = precision(candidate, artists), precision(published, artists)
    if ours and theirs:
        figures |= {"precision_at_5": ours.at_5, "published_precision_at_5": theirs.at_5}
        if ours.at_5 < theirs.at_5 - margin:
            faults.append(_fault("precision at five", ours.at_5, theirs.at_5, margin))
    if len(candidate) >= ENOUGH_FOR_HUBNESS:
        never, formerly = hubness(candidate).never_recommended, hubness(published).never_recommended
        figures |= {"never_recommended": never, "published_never_recommended": formerly}
        if never > formerly + margin:
            faults.append(_fault("share of tracks never recommended", never, formerly, margin))
    return QualityVerdict(figures, tuple(faults))


def _fault(name: str, candidate: float, published: float, margin: float) -> str:
    return f"its {name} is {candidate:.3f}, that of the published index {published:.3f}, and the margin {margin}"


def _on_common_ground(first: RankedIds, second: RankedIds) -> tuple[RankedIds, RankedIds]:
    """Two rankings of the queries that both have, without what only one of them knows, and with lists equally long."""
    common = first.keys() & second.keys()
    pairs = {
        query: [[audio for audio in ranked[query] if audio in common] for ranked in (first, second)] for query in common
    }
    return (
        {query: ours[: len(theirs)] for query, (ours, theirs) in pairs.items()},
        {query: theirs[: len(ours)] for query, (ours, theirs) in pairs.items()},
    )


@dataclass(frozen=True)
class Published:
    """What a publication came to.

    Attributes
    ----------
    version
        What answers now.
    former
        What answered before; None where nothing did.
    withheld
        The version that would answer, had nobody withdrawn it.
    """

    version: str
    former: str | None
    withheld: str | None = None


def publish_built_index(library: Library) -> Published:
    """Let the index built last answer from now on, unless somebody withdrew it.

    Raises
    ------
    PublicationRefused
        What the blocking checks look at does not hold. A run of this step alone passes none of them, and a second run
        may have built another index since they passed.
    """
    former, version = _published_version(library), library.indexes.built_version()
    if former == version:
        return Published(version, former)
    index = library.indexes.read(version)
    if former is not None and _withdrawn_twin(library, index.parameters, index.tracks) is not None:
        return Published(former, former, withheld=version)
    remedy = "Materialise soundtrack_candidates and what follows it over all shards, and look at its checks"
    _refuse_unless_fit(library, version, remedy=remedy)
    library.indexes.publish(version)
    return Published(version, former)


def publish_by_hand(library: Library, version: str) -> Published:
    """Let any version answer from now on, with its rows in RECOMMENDATIONS.

    Where it takes the place of what a run would build of the library as it is, that is withdrawn: the next run would
    take this one's place otherwise.

    Raises
    ------
    PublicationRefused
        It is incomplete, or worse than the published one, as a run would find.
    NoPublishedIndex, CorruptIndex
        It cannot be read.
    """
    former = _published_version(library)
    index = library.indexes.read(version).opened()
    if former != version:
        remedy = "`mfcc index rollback` leads back, unjudged, to the version that answered before the present one"
        _refuse_unless_fit(library, version, remedy=remedy)
        withdraws_former = former is not None and _is_current(library, former)
        library.indexes.publish(version, by=BY_HAND, withdraws_former=withdraws_former)
    _serve(library, index, run_id="mfcc index publish")
    return Published(version, former)


def roll_back(library: Library) -> Published:
    """Let the version answer that answered before, and withdraw the present one. Nothing is computed again.

    Raises
    ------
    NoPublishedIndex
        None answered before, or none that did is still stored.
    CorruptIndex
        The one that did cannot be read, or the history of publications.
    """
    present = library.indexes.published_version()
    if present is None:
        raise NoPublishedIndex("no version answers yet", remedy="Materialise the library")
    former = rollbacks(library)
    if not former:
        raise NoPublishedIndex(
            "no version that is still stored answered before it",
            subject=f"index {present}",
            remedy="`mfcc index list` shows what `mfcc index publish` could let answer",
        )
    index = library.indexes.read(former[0])
    library.indexes.publish(index.version, by=ROLLBACK, withdraws_former=True)
    _serve(library, index, run_id="mfcc index rollback")
    return Published(index.version, present)


def rollbacks(library: Library) -> list[str]:
    """The stored versions that rolling back leads to, one after the other."""
    others = {stored.version for stored in library.indexes.versions()} - {library.indexes.published_version()}
    return [version for version in answered_before(library.indexes.history()) if version in others]


def is_withheld(library: Library) -> bool:
    """Whether what a run would build of the library as it is was withdrawn, so that the run would not publish it."""
    return _withdrawn_twin(library, index_parameters(library.settings), library.catalogue.audio()) is not None


def _withdrawn_twin(library: Library, parameters: IndexParameters, tracks: Mapping[str, str]) -> str | None:
    """A version that was withdrawn, and was built of these tracks with these parameters.

    After two rollbacks the scales may be those of an older index, and the same library makes another version with them.
    """
    for version in reversed(withdrawn(library.indexes.history())):
        try:
            index = library.indexes.read(version)
        except (NoPublishedIndex, CorruptIndex):
            continue  # pruned, or damaged: a run builds it again
        if index.parameters == parameters and index.tracks == tracks:
            return version
    return None


def _is_current(library: Library, version: str) -> bool:
    try:
        index = library.indexes.read(version)
    except (NoPublishedIndex, CorruptIndex):
        return False
    return index.parameters == index_parameters(library.settings) and index.tracks == library.catalogue.audio()


def _serve(library: Library, index: LibraryIndex, *, run_id: str) -> None:
    for _ in recommend_soundtracks(library, index, library.shards, run_id=run_id):
        pass


def _refuse_unless_fit(library: Library, version: str, *, remedy: str) -> None:
    without_ranking, unknown = unusable_rankings(library, version)
    faults = [
        *([f"{len(without_ranking)} tracks have no ranking"] if without_ranking else []),
        *([f"{len(unknown)} ranked tracks are not in the library"] if unknown else []),
        *judge_quality(library, version).faults,
    ]
    if faults:
        raise PublicationRefused("; ".join(faults), subject=f"index {version}", remedy=remedy)


def _published_version(library: Library) -> str | None:
    try:
        return library.indexes.published_version()
    except CorruptIndex:
        return None  # a damaged pointer is replaced by the next publication
