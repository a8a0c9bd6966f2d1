"""Precision without the answers that share a source with the query: its album, its package, or files like its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mfcc_assets.audio.file_properties import FileProperties
from mfcc_assets.evaluation.barred import Barred, barred_at_random, with_enough_left, without
from mfcc_assets.evaluation.intervals import shares_by_label, with_interval
from mfcc_assets.evaluation.manifest import LabelledTrack, albums_of, labels_of, sources_of
from mfcc_assets.evaluation.metrics import RankedIds, hits

DRAWS = 4
"""Number of times that lists are thinned at random."""


@dataclass(frozen=True)
class Part:
    """Precision over a part of the queries.

    Attributes
    ----------
    queries, labels
        Number of queries, and of their labels. If lists are drawn at random, the queries of every draw count.
    p_at_5, p_at_5_low, p_at_5_high
        Precision at five with its 90 % interval; None if there is no query.
    """

    queries: int
    labels: int
    p_at_5: float | None
    p_at_5_low: float | None
    p_at_5_high: float | None

    @classmethod
    def of(cls, found: Sequence[Mapping[str, Sequence[bool]]], labels: Mapping[str, str]) -> "Part":
        """Return the figures of the hits of one or more draws; the parameters are those of `shares_by_label`."""
        shares = shares_by_label(found, labels)
        figure = with_interval(shares)
        queries = sum(map(len, shares.values()))
        if figure is None:
            return cls(0, 0, None, None, None)
        return cls(queries, len(shares), figure.mean, figure.low, figure.high)


@dataclass(frozen=True)
class OtherSources:
    """Precision of a ranking without answers that share a source with the query.

    Attributes
    ----------
    other_albums, other_packages
        Without the tracks of the query's own album, or of its own package, which is the column `source`. The queries
        are tracks whose label has at least two tracks elsewhere.
    unlike_files
        Without files that are like the query's own. The queries are tracks of which two of their label remain.
    thinned
        The same queries, with as many tracks left out at random.
    """

    other_albums: Part
    other_packages: Part
    unlike_files: Part
    thinned: Part


def score_other_sources(
    ranked: RankedIds[str], tracks: Sequence[LabelledTrack], properties: Mapping[str, FileProperties]
) -> OtherSources:
    """Score the complete ranked lists of one ranking.

    Parameters
    ----------
    ranked
        Ranked lists. Tracks are named by their paths.
    tracks
        These tracks with their labels. Others are left out.
    properties
        Properties of the file of each track.
    """
    tracks = [track for track in tracks if track.path in ranked]
    labels = labels_of(tracks)
    barred = _like_files(ranked, properties)
    queries = with_enough_left(ranked, labels, barred)

    def hits_without(left_out: Barred) -> dict[str, list[bool]]:
        return hits({query: lists for query, lists in without(ranked, left_out).items() if query in queries}, labels)

    drawn = [hits_without(barred_at_random(ranked, labels, barred, draw)) for draw in range(DRAWS)]
    return OtherSources(
        other_albums=Part.of([hits(ranked, labels, albums_of(tracks))], labels),
        other_packages=Part.of([hits(ranked, labels, sources_of(tracks))], labels),
        unlike_files=Part.of([hits_without(barred)], labels),
        thinned=Part.of(drawn, labels),
    )


def _like_files(ranked: RankedIds[str], properties: Mapping[str, FileProperties]) -> dict[str, set[str]]:
    return {
        query: {track for track in tracks if properties[query].is_like(properties[track])}
        for query, tracks in ranked.items()
    }
