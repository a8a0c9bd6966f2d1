"""Publication of an index version: the conditions for it, and the rollback to an earlier version.

The published version is the one that answers queries.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mfcc_assets.credits import ArtistNames
from mfcc_assets.errors import CorruptIndex, NoPublishedIndex, PublicationRefused
from mfcc_assets.evaluation.row_metrics import RowLists, codes_of, hubness_of, precision_of
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.index import index_parameters
from mfcc_assets.pipeline.present_lists import is_in_library, present_lists
from mfcc_assets.pipeline.quality import credits_of_queries
from mfcc_assets.pipeline.ranked_rows import intact_ranked_rows
from mfcc_assets.pipeline.rankings import repair_rankings
from mfcc_assets.pipeline.ready_to_show import make_ready_to_show
from mfcc_assets.pipeline.recommendations import recommend_soundtracks
from mfcc_assets.pipeline.recordings import recordings_of
from mfcc_assets.pipeline.run_credits import credits_in_run
from mfcc_assets.search.id_arrays import IdArray
from mfcc_assets.search.index import IndexParameters, LibraryIndex
from mfcc_assets.storage.index_history import BY_HAND, ROLLBACK, answered_before, withdrawn


def misfits(library: Library, version: str) -> tuple[set[AudioId], set[AudioId]]:
    """Compare the tracks of an index with the analysed tracks of the library.

    Returns
    -------
    set of str
        Audio ids of the library that the index lacks.
    set of str
        Audio ids of the index that the library lacks.
    """
    tracks, analysed = library.indexes.read(version).tracks, list(library.catalogue.track_ids_by_audio())
    is_lacking = tracks.rows(analysed) < 0
    is_gone = ~is_in_library(library, tracks)
    return (
        {analysed[place] for place in np.flatnonzero(is_lacking).tolist()},
        set(IdArray[AudioId](tracks.audio_ids.array[is_gone])),
    )


def tracks_of_other_features(library: Library, version: str, run_id: str = "") -> set[AudioId]:
    """Return the audio ids of an index whose features of the index's parameters are not stored.

    The steps of a run share one listing of the features, if its id is given.
    """
    index = library.indexes.read(version)
    return set(index.tracks) - library.features.audio_with_track_features(index.parameters.features, run_id)


def unusable_rankings(library: Library, version: str) -> tuple[set[AudioId], set[AudioId]]:
    """Return the faults of the rankings of an index.

    Returns
    -------
    set of str
        Audio ids of the index without a ranking.
    set of str
        Audio ids that a ranking contains although they have left the library.
    """
    index = library.indexes.read(version)
    ids, ranked = index.tracks.audio_ids.array, intact_ranked_rows(library, index)
    without = ~ranked.has_ranking
    # A single recording has no other one to be compared with.
    if recordings_of(library, index).count <= 1:
        without[:] = False
    named = np.zeros(len(ids), np.bool_)
    named[ranked.rows[ranked.rows >= 0]] = True
    gone = named & ~is_in_library(library, index.tracks)
    return set(IdArray[AudioId](ids[without])), set(IdArray[AudioId](ids[gone]))


@dataclass(frozen=True)
class QualityVerdict:
    """The result of comparing an index with the published one.

    Attributes
    ----------
    figures
        Compared figures by name. Those of the published index have the prefix ``published_``. Empty if nothing could be
        compared.
    faults
        A sentence for each figure that is worse by more than the margin.
    """

    figures: Mapping[str, float] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """True if the index may replace the published one."""
        return not self.faults


def judge_quality(library: Library, version: str, *, enough: int = 100, run_id: str = "") -> QualityVerdict:
    """Compare an index with the published one. No figure may be worse by more than the margin of the settings.

    The figures are the precision at five by artist and, in a library that is large enough, the share of tracks that
    are in no list of five. Both are measured again for the two indexes, with the audio that both have, with lists of
    equal length, and with the present tags. New tracks, removed tracks and changed tags must not make an index look
    worse: in one library, eight tracks by new artists, added to nine by three artists, lowered the precision over all
    tracks from 0.38 to 0.25. A figure is not judged if the library has too few tracks or tags for it.

    If tracks were added or removed, all distances change a little, and chance decides among few tracks. Nothing is
    judged if the library has doubled: the tracks of the small index no longer speak for it.

    Parameters
    ----------
    library, version
        The library, and the version of the index.
    enough
        Smallest number of tracks for which the share of tracks in no list is judged, and, if tracks were added or
        removed, the precision. With fewer tracks they depend on chance: among ten tracks, a single one is a tenth.
    run_id
        Id of the run, whose steps share one reading of the credits.
    """
    published_version = _published_version(library)
    if published_version is None or published_version == version:
        return QualityVerdict()
    # Both are measured with the same recordings.
    index = library.indexes.read(version)
    recordings = recordings_of(library, index)
    in_library = is_in_library(library, recordings.tracks)
    candidate = present_lists(library, version, recordings, in_library)
    measured = int(candidate.is_query.sum())
    published = present_lists(library, published_version, recordings, in_library)
    candidate, published = _restricted_to_common(candidate, published)
    common = int(candidate.is_query.sum())
    if 2 * common <= measured:
        return QualityVerdict()
    margin, figures, faults = library.settings.quality_margin, dict[str, float](), []
    credited = credits_of_queries(credits_in_run(library, run_id), candidate, recordings)
    names = ArtistNames(credit for credit in credited if credit)
    artists = codes_of((names.main(credit) or None) if credit else None for credit in credited)
    ours, theirs = precision_of(candidate, artists), precision_of(published, artists)
    if ours and theirs and (ours.queries >= enough or _has_tracks_of_published(library, index)):
        figures |= {"precision_at_5": ours.at_5, "published_precision_at_5": theirs.at_5}
        if ours.at_5 < theirs.at_5 - margin:
            faults.append(_fault("precision at five", ours.at_5, theirs.at_5, margin))
    if common >= enough:
        never, formerly = hubness_of(candidate).never_recommended, hubness_of(published).never_recommended
        figures |= {"never_recommended": never, "published_never_recommended": formerly}
        if never > formerly + margin:
            faults.append(_fault("share of tracks never recommended", never, formerly, margin))
    return QualityVerdict(figures, tuple(faults))


def _has_tracks_of_published(library: Library, index: LibraryIndex) -> bool:
    """Return True if an index has exactly the tracks of the published one. If that is damaged, nobody knows."""
    published = library.indexes.published_if_usable()
    return (
        published is not None
        and len(published.tracks) == len(index.tracks)
        and bool((published.tracks.rows(index.tracks.audio_ids) >= 0).all())
    )


def how_to_publish(version: str) -> str:
    """Return what the owner can do if an index is worse than the published one, as the remedy of an error."""
    return (
        f"`mfcc index publish {version} --force` publishes it all the same, and MFCC_QUALITY_MARGIN says how much "
        "worse an index may be"
    )


def refused_index(library: Library) -> str:
    """Return a sentence about the newest index if it does not answer because of its quality, else an empty text.

    An index that is still being built, or that somebody withdrew, was not refused.

    Raises
    ------
    MfccError
        If an index or its rankings cannot be read.
    """
    try:
        version = library.indexes.built_version()
    except NoPublishedIndex:
        return ""
    if version == _published_version(library) or version in withdrawn(library.indexes.history()):
        return ""
    faults = () if any(unusable_rankings(library, version)) else judge_quality(library, version).faults
    return f"Index {version} is withheld: {'; '.join(faults)}. {how_to_publish(version)}." if faults else ""


def _fault(name: str, candidate: float, published: float, margin: float) -> str:
    return f"its {name} is {candidate:.3f}, that of the published index is {published:.3f}, and the margin is {margin}"


def _restricted_to_common(first: RowLists, second: RowLists) -> tuple[RowLists, RowLists]:
    """Return the lists of two indexes without the tracks that only one of them has, and with lists of equal length."""
    common = first.is_query & second.is_query
    restricted = [
        RowLists.of(np.where((lists.rows >= 0) & common[lists.rows], lists.rows, np.int32(-1)), common)
        for lists in (first, second)
    ]
    lengths = np.minimum(*((lists.rows >= 0).sum(axis=1) for lists in restricted))
    return (
        restricted[0].without(np.arange(restricted[0].rows.shape[1]) >= lengths[:, np.newaxis]),
        restricted[1].without(np.arange(restricted[1].rows.shape[1]) >= lengths[:, np.newaxis]),
    )


@dataclass(frozen=True)
class Published:
    """The result of a publication.

    Attributes
    ----------
    version
        Version that is published now.
    former
        Version that was published before, or None if there was none.
    withheld
        Version that was not published because somebody has withdrawn it.
    """

    version: str
    former: str | None
    withheld: str | None = None


def publish_built_index(library: Library, *, run_id: str = "") -> Published:
    """Publish the index that was built last, unless somebody has withdrawn it.

    What pages show of it is made first: see `mfcc_assets.pipeline.ready_to_show`. The steps of a run share one reading
    of the credits, if its id is given.

    Raises
    ------
    PublicationRefused
        If a track has no ranking, if a ranking names a track that has left the library, or if the index is worse than
        the published one. Blocking checks of a run test the same. They are repeated here, since a run of this step
        alone skips them, and since another run may have built another index after they passed.
    """
    former, version = _published_version(library), library.indexes.built_version()
    index = library.indexes.read(version)
    if former == version:
        make_ready_to_show(library, index)  # an older version of this program may have published it
        return Published(version, former)
    if former is not None and _withdrawn_equal(library, index.parameters, index.tracks) is not None:
        return Published(former, former, withheld=version)
    remedy = "Materialise soundtrack_candidates and what follows it over all shards, and look at its checks"
    _refuse_unless_fit(library, version, remedy=remedy, run_id=run_id)
    make_ready_to_show(library, index)
    library.indexes.publish(version)
    return Published(version, former)


def publish_by_hand(library: Library, version: str, *, although_worse: bool = False) -> Published:
    """Publish any version, together with its rows in RECOMMENDATIONS.

    If the former version is the one that a run would build from the present library, it is withdrawn. Otherwise the
    next run would publish it again.

    Parameters
    ----------
    library, version
        The library, and the version of the index.
    although_worse
        True if it may be worse than the published version.

    Raises
    ------
    PublicationRefused
        If the version is incomplete, or worse than the published one and must not be.
    NoPublishedIndex, CorruptIndex
        If the version does not exist or cannot be read.
    """
    former = _published_version(library)
    index = library.indexes.read(version).load_all()
    repair_rankings(library, index)
    if former != version:
        remedy = "`mfcc index rollback` returns to the version before the present one, without comparing them"
        _refuse_unless_fit(library, version, remedy=remedy, although_worse=although_worse)
        withdraws_former = former is not None and _is_current(library, former)
        make_ready_to_show(library, index)
        library.indexes.publish(version, by=BY_HAND, withdraws_former=withdraws_former)
    _write_recommendations(library, index, run_id="mfcc index publish")
    return Published(version, former)


def roll_back(library: Library) -> Published:
    """Publish the version that was published before, and withdraw the present one.

    Nothing is computed again, except damaged rankings, and what pages show of it if it is not stored.

    Raises
    ------
    NoPublishedIndex
        If no version was published before, or none of them is still stored.
    CorruptIndex
        If the earlier version is damaged, or nobody knows which version answers.
    FeaturesMissing
        If its rankings are damaged, and a track cannot be compared.
    """
    present = library.indexes.published_version()
    if present is None:
        raise NoPublishedIndex("no version is published yet", remedy="Materialise the library")
    former = rollbacks(library)
    if not former:
        raise NoPublishedIndex(
            "no version that was published before it is still stored",
            subject=f"index {present}",
            remedy="`mfcc index list` shows the versions that `mfcc index publish` can publish",
        )
    index = library.indexes.read(former[0]).load_all()
    repair_rankings(library, index)
    make_ready_to_show(library, index)
    library.indexes.publish(index.version, by=ROLLBACK, withdraws_former=True)
    _write_recommendations(library, index, run_id="mfcc index rollback")
    return Published(index.version, present)


def rollbacks(library: Library) -> list[str]:
    """Return the stored versions to which repeated rollbacks return, in this order.

    Versions that another version of this program made are not among them.
    """
    others = {stored.version for stored in library.indexes.versions()} - {library.indexes.published_version()}
    return [
        version
        for version in answered_before(library.indexes.history())
        if version in others and not library.indexes.is_of_other_program(version)
    ]


def is_withheld(library: Library) -> bool:
    """Return True if the index that a run would build from the present library has been withdrawn.

    A run does not publish such an index.
    """
    return _withdrawn_equal(library, index_parameters(library), library.catalogue.track_ids_by_audio()) is not None


def _withdrawn_equal(library: Library, parameters: IndexParameters, tracks: Mapping[AudioId, TrackId]) -> str | None:
    """Return a withdrawn version that was built from these tracks with these parameters, or None.

    It may differ from the version that a run would build. After two rollbacks, the calibration may be that of an older
    index, and the same library then makes another version.
    """
    for version in reversed(withdrawn(library.indexes.history())):
        index = library.indexes.read_if_usable(version)
        if index is not None and index.is_built_from(parameters, tracks):
            return version
    return None


def _is_current(library: Library, version: str) -> bool:
    """Return True if a run would build this version, or one like it, from the present library."""
    index = library.indexes.read_if_usable(version)
    return index is not None and index.is_built_from(index_parameters(library), library.catalogue.track_ids_by_audio())


def _write_recommendations(library: Library, index: LibraryIndex, *, run_id: str) -> None:
    for _ in recommend_soundtracks(library, index, library.shards, run_id=run_id):
        pass


def _refuse_unless_fit(
    library: Library, version: str, *, remedy: str, although_worse: bool = False, run_id: str = ""
) -> None:
    without_ranking, unknown = unusable_rankings(library, version)
    faults = [
        *([f"{len(without_ranking)} tracks have no ranking"] if without_ranking else []),
        *([f"{len(unknown)} ranked tracks are not in the library"] if unknown else []),
    ]
    if not faults and not although_worse:
        faults, remedy = [*judge_quality(library, version, run_id=run_id).faults], how_to_publish(version)
    if faults:
        raise PublicationRefused("; ".join(faults), subject=f"index {version}", remedy=remedy)


def _published_version(library: Library) -> str | None:
    try:
        return library.indexes.published_version()
    except CorruptIndex:
        # The next publication replaces a damaged pointer.
        return None
