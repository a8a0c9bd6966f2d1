"""The default ranking and its peers: recommendations of tracks as they are, re-encoded, and in mixed libraries."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.reader import AudioLimits
from mfcc_assets.audio.reencode import Chain
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.evaluation.chains import REENCODINGS
from mfcc_assets.evaluation.intervals import Figure, difference_with_interval, shares_by_label, with_interval
from mfcc_assets.evaluation.labelled import AnalysedTracks, LabelledSet, Progress, encoded_again
from mfcc_assets.evaluation.manifest import LabelledTrack, labels_of
from mfcc_assets.evaluation.metrics import RankedIds, hits, precision, ranked_by, without_copies
from mfcc_assets.evaluation.mixed import DRAWS, SHARES, MixedScores, rank_draws, rows_of_both
from mfcc_assets.evaluation.scores import rank_tracks
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.for_each import ForEach
from mfcc_assets.ranking_names import DEFAULT_RANKING
from mfcc_assets.similarity.pairwise import Tracks
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.peer_programs import CannotDescribe, Descriptor, Peer, opened_peers
from mfcc_assets_tests.benchmarks.report import Section

REENCODING = REENCODINGS["one_chain"]

CLEAN, REENCODED, HALF, TENTH = "as they are", "all re-encoded", "half re-encoded", "a tenth re-encoded"
CONDITIONS = (CLEAN, REENCODED, HALF, TENTH)
"""Libraries that are measured. Of the last, only the queries that are re-encoded count."""

SECONDS_BETWEEN_LINES = 15


def measure(corpus: Corpus) -> Section:
    tracks = [LabelledTrack(track.name, track.artist, track.package) for track in corpus.tracks]
    labelled = LabelledSet(
        corpus.store,
        corpus.folder,
        tracks,
        parameters=corpus.parameters,
        limits=AudioLimits(),
        for_each=on_all_cores,
    )
    clean = labelled.analyse(_progress("features of tracks"))
    reencoded = labelled.analyse(_progress("features of re-encoded tracks"), REENCODING.chain_of)
    folder = corpus.work / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    with opened_peers(folder) as (peers, unavailable):
        descriptors = describe(peers, labelled, clean, None, folder, _progress("descriptors of tracks"))
        of_reencoded = describe(
            peers, labelled, reencoded, REENCODING.chain_of, folder, _progress("descriptors of re-encoded tracks")
        )
        found = score(
            clean,
            reencoded,
            {peer: (descriptors[peer.name], of_reencoded[peer.name]) for peer in peers},
            corpus.parameters,
            _progress("libraries"),
            on_all_cores,
        )
    section = Section("Peers")
    section.text(
        f"The ranking `{DEFAULT_RANKING}` and other programs rank the {len(clean.tracks)} tracks of the corpus. P@1 "
        "and P@5 are the shares of the first recommendation, or of the first five, that have the artist of the query, "
        "or its package if no artist is named. The libraries hold the tracks as they are, all tracks re-encoded "
        f"({REENCODING.description}), or a mixture, which is drawn {DRAWS} times. In mixed libraries, *same* is the "
        "share of the five recommendations that are in the query's own state, with the share of all other tracks in "
        "parentheses. Where a tenth is re-encoded, only the re-encoded queries count. Brackets contain 90 % intervals "
        "over labels that are drawn again."
    )
    section.table(
        ["", "P@1", *(f"P@5, {condition}" for condition in CONDITIONS), f"same, {HALF}", f"same, {TENTH}"],
        [
            [
                f"`{name}`" if name == DEFAULT_RANKING else name,
                _number(scores.p_at_1),
                *(_figure(with_interval(scores.shares[condition])) for condition in CONDITIONS),
                _same(scores.mixed[HALF].all_queries.same, scores.mixed[HALF].all_queries.same_by_chance),
                _same(scores.mixed[TENTH].reencoded_queries.same, scores.mixed[TENTH].reencoded_queries.same_by_chance),
            ]
            for name, scores in found.items()
        ],
    )
    section.text(f"P@5 of `{DEFAULT_RANKING}` minus that of the peer, for the same queries:")
    section.table(
        ["", *CONDITIONS],
        [
            [
                name,
                *(
                    _figure(
                        difference_with_interval(found[DEFAULT_RANKING].shares[condition], scores.shares[condition])
                    )
                    for condition in CONDITIONS
                ),
            ]
            for name, scores in found.items()
            if name != DEFAULT_RANKING
        ],
    )
    section.text(
        "MusiCNN is the network whose output describes tracks in AudioMuse-AI: the mean of its dense layer over 24 "
        "patches of 3 s, compared by the cosine. bliss-audio compares its features by the Euclidean distance. Musly "
        "compares tracks by its method `timbre`, and knows all tracks of the library."
    )
    failures = _failures(descriptors, clean, CLEAN) + _failures(of_reencoded, reencoded, REENCODED)
    failures += [f"- {name} was not measured: {why}." for name, why in unavailable.items()]
    return section.text("\n".join(failures)) if failures else section


def describe(
    peers: Sequence[Peer],
    labelled: LabelledSet,
    analysed: AnalysedTracks,
    chain_of: Callable[[LabelledTrack], Chain] | None,
    folder: Path,
    on_progress: Progress,
) -> dict[str, list[Descriptor]]:
    """Return the descriptors of tracks by the name of the peer. Each is computed once, and kept in a folder.

    Parameters
    ----------
    peers
        The peers.
    labelled
        The set of the tracks.
    analysed
        The tracks, with the audio ids of their files or of their re-encoded files.
    chain_of
        Returns the chain that re-encodes a track; None for the tracks as they are.
    folder
        Folder with the descriptors.
    on_progress
        Called after each track.

    Returns
    -------
    dict
        A descriptor is empty if the peer cannot describe the track.
    """

    def file_of(peer: Peer, row: int) -> Path:
        return folder / peer.name / f"{analysed.audio_ids[row]}.npy"

    def describe_track(row: int) -> None:
        missing = [peer for peer in peers if not file_of(peer, row).exists()]
        track = analysed.tracks[row]
        if missing:
            with encoded_again(labelled.file_of(track), chain_of(track) if chain_of else None) as path:
                for peer in missing:
                    _keep(_described(peer, path), file_of(peer, row))

    for peer in peers:
        (folder / peer.name).mkdir(exist_ok=True)
    rows = range(len(analysed.tracks))
    for done, _ in enumerate(labelled.for_each(describe_track, rows), start=1):
        on_progress(done, len(rows))
    return {peer.name: [np.load(file_of(peer, row)) for row in rows] for peer in peers}


@dataclass(frozen=True)
class PeerScores:
    """Figures of a ranking.

    Attributes
    ----------
    p_at_1
        Precision of the first recommendation, for tracks as they are.
    shares
        Precision at five of every query of a label, by condition and label.
    mixed
        Figures in mixed libraries, by condition.
    """

    p_at_1: float | None
    shares: Mapping[str, Mapping[str, Sequence[float]]]
    mixed: Mapping[str, MixedScores]


def score(
    clean: AnalysedTracks,
    reencoded: AnalysedTracks,
    descriptors: Mapping[Peer, tuple[Sequence[Descriptor], Sequence[Descriptor]]],
    parameters: FeaturesParameters,
    on_progress: Progress,
    for_each: ForEach,
) -> dict[str, PeerScores]:
    """Return the figures of the default ranking and of peers, by name. All of them rank the same libraries.

    Parameters
    ----------
    clean, reencoded
        The tracks as they are, and re-encoded.
    descriptors
        The descriptors of both.
    parameters
        Parameters of the features.
    on_progress
        Called after each library.
    for_each
        Function that applies another function to many items.
    """
    both = Tracks.of([*clean.track_features, *reencoded.track_features], parameters)
    every = np.arange(len(both))
    libraries = 2 + DRAWS * len(SHARES)
    ranked: list[Mapping[str, RankedIds[str]]] = []

    def rank(rows: NDArray[np.int64], paths: Sequence[str]) -> Mapping[str, RankedIds[str]]:
        lists: dict[str, RankedIds[str]] = dict(rank_tracks(both.rows(rows), paths, [DEFAULT_RANKING], {}, for_each))
        for peer, (as_they_are, of_reencoded) in descriptors.items():
            of_both = [*as_they_are, *of_reencoded]
            lists[peer.name] = ranked_by(peer.distances([of_both[row] for row in rows]), paths)
        ranked.append(lists)
        on_progress(len(ranked), libraries)
        return lists

    def rank_all(analysed: AnalysedTracks, rows: NDArray[np.int64]) -> dict[str, RankedIds[str]]:
        of_files = rank(rows, [track.path for track in analysed.tracks])
        return {name: without_copies(lists, analysed.recordings) for name, lists in of_files.items()}

    as_they_are = rank_all(clean, every[: len(clean.tracks)])
    all_reencoded = rank_all(reencoded, every[len(clean.tracks) :])
    rows_of_clean, rows_of_reencoded = rows_of_both(clean, reencoded).T
    mixed_rows = np.concatenate([rows_of_clean, rows_of_reencoded + len(clean.tracks)])
    mixed_tracks = [clean.tracks[row] for row in rows_of_clean]
    paths = [track.path for track in mixed_tracks]
    draws = {
        condition: rank_draws(
            mixed_tracks,
            REENCODING.state_of,
            SHARES[share],
            lambda drawn: rank(mixed_rows[drawn], paths).items(),
        )
        for condition, share in ((HALF, "half"), (TENTH, "tenth"))
    }
    labels = labels_of(mixed_tracks)

    def scores_of(name: str) -> PeerScores:
        of_clean = precision(as_they_are[name], _labels(as_they_are[name], clean))
        return PeerScores(
            p_at_1=of_clean.at_1 if of_clean else None,
            shares={
                CLEAN: _shares([as_they_are[name]], _labels(as_they_are[name], clean)),
                REENCODED: _shares([all_reencoded[name]], _labels(all_reencoded[name], reencoded)),
                HALF: _shares([draw.lists for draw in draws[HALF][name]], labels),
                TENTH: _shares([draw.of_reencoded().lists for draw in draws[TENTH][name]], labels),
            },
            mixed={condition: MixedScores.of(of_ranking[name], labels) for condition, of_ranking in draws.items()},
        )

    return {name: scores_of(name) for name in as_they_are}


def _labels(ranked: RankedIds[str], analysed: AnalysedTracks) -> dict[str, str]:
    return labels_of([track for track in analysed.tracks if track.path in ranked])


def _shares(ranked: Sequence[RankedIds[str]], labels: Mapping[str, str]) -> dict[str, list[float]]:
    return shares_by_label([hits(lists, labels) for lists in ranked], labels)


def _described(peer: Peer, path: Path) -> Descriptor:
    try:
        return peer.describe(path)
    except CannotDescribe:
        return np.empty(0, dtype=np.float32)


def _keep(descriptor: Descriptor, file: Path) -> None:
    """Write a file that is either complete or not there, so that a run can be stopped at any time."""
    partial = file.with_suffix(".partial.npy")
    np.save(partial, descriptor)
    partial.rename(file)


def _failures(descriptors: Mapping[str, Sequence[Descriptor]], analysed: AnalysedTracks, condition: str) -> list[str]:
    lines = []
    for name, of_peer in descriptors.items():
        paths = [track.path for track, found in zip(analysed.tracks, of_peer, strict=True) if not len(found)]
        if paths:
            lines.append(
                f"- {name} cannot read {len(paths)} tracks ({condition}), which come last in its lists, for example "
                f"`{paths[0]}`."
            )
    return lines


def _number(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.3f}"


def _figure(figure: Figure | None) -> str:
    return "–" if figure is None else f"{figure.mean:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def _same(same: float | None, by_chance: float | None) -> str:
    return f"{_number(same)} ({_number(by_chance)})"


def _progress(what: str) -> Progress:
    """Return a callback that writes a line at the end, and from time to time."""
    written = time.monotonic()

    def on_progress(done: int, total: int) -> None:
        nonlocal written
        if done == total or time.monotonic() - written > SECONDS_BETWEEN_LINES:
            written = time.monotonic()
            sys.stderr.write(f"         {what}: {done} of {total}\n")

    return on_progress
