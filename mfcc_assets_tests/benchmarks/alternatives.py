"""Why the default ranking has the parts that it has: alternatives, in libraries of one coding and in mixed ones.

`python -m mfcc_assets_tests.benchmarks.alternatives --corpus DIR --work DIR` prints a table. Everything is measured on
two halves of the labels, since a gain that holds for one half alone is an accident.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.reader import AudioLimits
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.evaluation.chains import REENCODINGS
from mfcc_assets.evaluation.intervals import shares_by_label
from mfcc_assets.evaluation.labelled import AnalysedTracks, LabelledSet
from mfcc_assets.evaluation.manifest import LabelledTrack, labels_of
from mfcc_assets.evaluation.metrics import RankedIds, hits, precision, ranked_by
from mfcc_assets.evaluation.mixed import SHARES, MixedScores, RankedDraw, rank_draws, rows_of_both
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.similarity.pairwise import Comparison, Tracks
from mfcc_assets.similarity.rankings import LOW_TIMBRE, RANKINGS, TIMBRE, Ranking
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.report import Section

ALTERNATIVES: Mapping[str, Ranking] = {
    "`fused`": RANKINGS["fused"],
    "the whole band only": Ranking({TIMBRE: 1.0, "dtw": 0.25}),
    "the low band only": Ranking({LOW_TIMBRE: 1.0, "dtw": 0.25}),
    "without DTW": Ranking({TIMBRE: 1.0, LOW_TIMBRE: 1.0}),
    "weight of DTW 0.15": Ranking({TIMBRE: 1.0, LOW_TIMBRE: 1.0, "dtw": 0.15}),
    "weight of DTW 0.5": Ranking({TIMBRE: 1.0, LOW_TIMBRE: 1.0, "dtw": 0.5}),
    "DTW only": RANKINGS["dtw"],
}
REENCODING = REENCODINGS["one_chain"]


@dataclass(frozen=True)
class Halves:
    """Precision at five over all queries, and over those of two halves of the labels."""

    every: float
    first: float
    second: float

    @classmethod
    def of(cls, lists: Sequence[RankedIds[str]], labels: Mapping[str, str]) -> "Halves":
        shares = shares_by_label([hits(each, labels) for each in lists], labels)
        halves: tuple[list[float], list[float]] = ([], [])
        for label, of_label in shares.items():
            # The label alone decides, so a label is in the same half in every run.
            halves[hashlib.blake2b(label.encode()).digest()[0] % 2].extend(of_label)
        return cls(*(float(np.mean(each)) for each in (halves[0] + halves[1], *halves)))

    def __str__(self) -> str:
        return f"{self.every:.3f} ({self.first:.3f}, {self.second:.3f})"


def measure(clean: AnalysedTracks, reencoded: AnalysedTracks, parameters: FeaturesParameters) -> Section:
    """Measure all alternatives on tracks as they are and re-encoded."""
    rows = rows_of_both(clean, reencoded)
    tracks = [clean.tracks[row] for row in rows[:, 0]]
    labels, paths = labels_of(tracks), [track.path for track in tracks]
    both = Tracks.of(
        [
            *(clean.track_features[row] for row in rows[:, 0]),
            *(reencoded.track_features[row] for row in rows[:, 1]),
        ],
        parameters,
    )

    def rank(drawn: NDArray[np.int64]) -> Iterator[tuple[str, RankedIds[str]]]:
        comparison = Comparison(both.rows(drawn), on_all_cores)
        for name, ranking in ALTERNATIVES.items():
            yield name, ranked_by(comparison.by_ranking(ranking), paths)

    as_they_are = dict(rank(np.arange(len(tracks))))
    mixed = {share: rank_draws(tracks, REENCODING.state_of, SHARES[share], rank) for share in SHARES}

    def row(name: str) -> list[str]:
        half, tenth = (_of_draws(mixed[share][name]) for share in ("half", "tenth"))
        first = precision(as_they_are[name], labels)
        return [
            name,
            f"{first.at_1:.3f}" if first else "–",
            str(Halves.of([as_they_are[name]], labels)),
            str(Halves.of(half, labels)),
            f"{MixedScores.of(mixed['half'][name], labels).all_queries.same or 0:.2f}",
            str(Halves.of([draw.of_reencoded().lists for draw in mixed["tenth"][name]], labels)),
            str(Halves.of(tenth, labels)),
        ]

    columns = ["", "P@1", "P@5, as they are", "P@5, half", "same, half", "P@5 of the tenth", "P@5, a tenth"]
    return (
        Section("Alternatives to the default ranking")
        .text(
            f"{len(tracks)} recordings. In mixed libraries, a half or a tenth of them is re-encoded "
            f"({REENCODING.description}). Parentheses contain the figures of two halves of the labels. *Same* is the "
            "share of the answers in the query's own coding, by chance one half."
        )
        .table(columns, [row(name) for name in ALTERNATIVES])
    )


def _of_draws(draws: Sequence[RankedDraw]) -> list[RankedIds[str]]:
    return [draw.lists for draw in draws]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder of the development corpus")
    parser.add_argument("--work", type=Path, required=True, help="folder for features, which are computed once")
    chosen = parser.parse_args()
    corpus = Corpus(chosen.corpus, chosen.work)
    labelled = LabelledSet(
        corpus.store,
        corpus.folder,
        [LabelledTrack(track.name, track.artist, track.package) for track in corpus.tracks],
        parameters=corpus.parameters,
        limits=AudioLimits(),
        for_each=on_all_cores,
    )
    clean = labelled.analyse(_silent)
    section = measure(clean, labelled.analyse(_silent, REENCODING.chain_of), corpus.parameters)
    sys.stdout.write(f"{section}\n")


def _silent(done: int, total: int) -> None:
    """Report no progress."""


if __name__ == "__main__":
    main()
