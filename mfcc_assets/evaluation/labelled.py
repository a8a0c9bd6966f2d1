"""Recommendation quality on any labelled set of audio files, apart from the user's library."""

import csv
import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.reader import AudioLimits
from mfcc_assets.audio.reencode import Chain, reencode
from mfcc_assets.errors import AudioError, UnusableManifest
from mfcc_assets.evaluation.metrics import (
    RankedIds,
    hubness,
    mean_average_precision,
    precision,
    random_distances,
    ranked_by,
)
from mfcc_assets.features.file_analysis import analyse_file
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.track_features import Analysis, TrackFeatures, track_features_of
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.ids import content_digest, track_id
from mfcc_assets.similarity.pairwise import Comparison, Tracks, uncorrected_names
from mfcc_assets.similarity.ranking_names import FORMER_NAMES
from mfcc_assets.similarity.rankings import RANKINGS, ranking_named

ALL, RANDOM = "all", "random"
"""Names of every ranking, and of the one that knows nothing."""

Progress = Callable[[int, int], None]
"""Is told how many of how many are done."""


@dataclass(frozen=True)
class LabelledTrack:
    """A row of a manifest; its path is relative to the folder of the audio."""

    path: str
    artist: str = ""
    source: str = ""
    work: str = ""

    @property
    def label(self) -> str:
        """What should recommend each other: the artist, or the source where no artist is named."""
        return self.artist or self.source


def read_manifest(file: Path) -> list[LabelledTrack]:
    """Read a CSV with the columns path, artist, source and, where works are known, work; of a path the first row.

    Raises
    ------
    UnusableManifest
        It is no CSV in UTF-8 with these columns.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines)
            missing = {"path", "artist", "source"}.difference(rows.fieldnames or ())
            tracks: dict[str, LabelledTrack] = {}
            for row in rows:
                cells = ((row.get(column) or "").strip() for column in ("path", "artist", "source", "work"))
                track = LabelledTrack(*cells)
                tracks.setdefault(track.path, track)
    except (csv.Error, UnicodeDecodeError) as error:
        raise _unusable(file, f"it cannot be read ({error})") from error
    if missing:
        raise _unusable(file, f"it has no column {', '.join(sorted(missing))}")
    return [track for track in tracks.values() if track.path]


def rankings_named(names: Iterable[str]) -> list[str]:
    """What is evaluated by these names, the floor last.

    Raises
    ------
    UnknownRanking
        There is no ranking of that name.
    """
    uncorrected = uncorrected_names(RANKINGS)
    expanded = [ranking for name in names for ranking in ([*RANKINGS, *uncorrected] if name == ALL else [name])]
    asked = list(dict.fromkeys(FORMER_NAMES.get(name, name) for name in expanded if name != RANDOM))
    for name in asked:
        if name not in uncorrected:
            ranking_named(name)
    return [*asked, RANDOM]


@dataclass(frozen=True)
class Analysed:
    """The tracks of a manifest that can be used, in an order that looks random and is always the same.

    Attributes
    ----------
    audio_ids
        Name the features of each track.
    rejected
        By path why a track cannot be used.
    """

    tracks: Sequence[LabelledTrack]
    audio_ids: Sequence[str]
    track_features: Sequence[TrackFeatures]
    rejected: Mapping[str, str]


class KeptFeatures(Protocol):
    """Where the features of labelled tracks are kept; a `FeatureStore` does."""

    def has_cepstra(self, audio_id: str, parameters: CepstraParameters) -> bool: ...
    def has_track_features(self, audio_id: str, parameters: FeaturesParameters) -> bool: ...
    def read_cepstra(self, audio_id: str, parameters: CepstraParameters) -> NDArray[np.float32]: ...
    def read_analysis(self, audio_id: str, parameters: CepstraParameters) -> Analysis: ...
    def write_analysis(self, audio_id: str, analysis: Analysis, parameters: CepstraParameters) -> None: ...
    def read_track_features(self, audio_id: str, parameters: FeaturesParameters) -> TrackFeatures: ...
    def write_track_features(
        self, audio_id: str, track_features: TrackFeatures, parameters: FeaturesParameters
    ) -> None: ...


class LabelledAudio:
    """Labelled tracks and their features, which are computed once and kept.

    Features are named by the bytes of a file and the chain it went through, so they are found again wherever the file
    lies.

    Parameters
    ----------
    store
        Where features are kept.
    folder
        Folder of the audio files.
    tracks
        As `read_manifest` reads them.
    parameters
        How features are made.
    limits
        What audio is accepted.
    for_each
        How many tracks are worked on: `in_turn`, or on all cores.
    """

    def __init__(
        self,
        store: KeptFeatures,
        folder: Path,
        tracks: Sequence[LabelledTrack],
        *,
        parameters: FeaturesParameters,
        limits: AudioLimits,
        for_each: ForEach = in_turn,
    ) -> None:
        self._store = store
        self._limits = limits
        self._folder = folder
        self._tracks = tracks
        self.parameters = parameters
        self.for_each = for_each

    def analyse(self, on_progress: Progress, chain_of: Callable[[LabelledTrack], Chain] | None = None) -> Analysed:
        """Analyse every track, as it is or as it comes out of a chain.

        Raises
        ------
        UnusableManifest
            No track can be used.
        """

        def outcome_of(track: LabelledTrack) -> tuple[str, TrackFeatures] | str:
            try:
                return self.track_features(track, chain_of(track) if chain_of else None)
            except AudioError as error:
                return error.what
            except OSError as error:
                return f"it cannot be opened ({error.strerror})"

        outcomes = {}
        for done, (track, outcome) in enumerate(self.for_each(outcome_of, self._largest_first()), start=1):
            on_progress(done, len(self._tracks))
            outcomes[track] = outcome
        in_order = sorted(self._tracks, key=lambda track: track_id(track.path))
        used = {track: found for track in in_order if not isinstance(found := outcomes[track], str)}
        rejected = {track.path: why for track in self._tracks if isinstance(why := outcomes[track], str)}
        if not used:
            first = next((f", for example {path}: {why}" for path, why in rejected.items()), "")
            raise UnusableManifest(
                f"none of the manifest's {len(self._tracks)} tracks can be used{first}",
                subject=str(self._folder),
                remedy="Paths in the manifest start from the folder of the audio",
            )
        return Analysed(
            tracks=list(used),
            audio_ids=[audio for audio, _ in used.values()],
            track_features=[track_features for _, track_features in used.values()],
            rejected=rejected,
        )

    def track_features(self, track: LabelledTrack, chain: Chain | None) -> tuple[str, TrackFeatures]:
        """What a track's features are named by, as it is or as it comes out of a chain, and its summary.

        Raises
        ------
        AudioError
            The audio cannot be used.
        OSError
            The file cannot be opened.
        """
        path = self._folder / track.path
        with path.open("rb") as file:
            digest = content_digest(file)
        audio = hashlib.blake2b(f"{digest} {chain.recipe}".encode(), digest_size=16).hexdigest() if chain else digest
        if not self._store.has_track_features(audio, self.parameters):
            if not self._store.has_cepstra(audio, self.parameters.cepstra):
                with _as_file(path, chain) as treated:
                    _, analysis = analyse_file(treated, self.parameters.cepstra, self._limits, track.path)
                self._store.write_analysis(audio, analysis, self.parameters.cepstra)
            analysis = self._store.read_analysis(audio, self.parameters.cepstra)
            self._store.write_track_features(audio, track_features_of(analysis, self.parameters), self.parameters)
        return audio, self._store.read_track_features(audio, self.parameters)

    def cepstra(self, audio: str) -> NDArray[np.float32]:
        """Cepstra (frames, d) by the name of a track's features."""
        return self._store.read_cepstra(audio, self.parameters.cepstra)

    def _largest_first(self) -> list[LabelledTrack]:
        """One that came last would keep one core busy while the others wait."""

        def size(track: LabelledTrack) -> int:
            try:
                return (self._folder / track.path).stat().st_size
            except OSError:
                return 0

        return sorted(self._tracks, key=size, reverse=True)


@dataclass(frozen=True)
class Scores:
    """How good a ranking is: its figures, named as in the JSON of `mfcc evaluate`.

    Attributes
    ----------
    p_at_1, p_at_5, hit_at_5
        As `mfcc_assets.evaluation.metrics.Precision`; None where no label is common enough.
    hub_skewness, largest_count, never_recommended
        As `mfcc_assets.evaluation.metrics.Hubness`.
    map_work
        Mean average precision for the same work; None where no work has two tracks.
    """

    p_at_1: float | None
    p_at_5: float | None
    hit_at_5: float | None
    hub_skewness: float
    largest_count: int
    never_recommended: float
    map_work: float | None


def scores_of(ranked: RankedIds, tracks: Sequence[LabelledTrack]) -> Scores:
    """Scores of whole rankings of these tracks, named by their paths."""
    by_label = precision(ranked, {track.path: track.label for track in tracks if track.label})
    hubs = hubness(ranked)
    return Scores(
        p_at_1=by_label.at_1 if by_label else None,
        p_at_5=by_label.at_5 if by_label else None,
        hit_at_5=by_label.hit_at_5 if by_label else None,
        hub_skewness=hubs.skewness,
        largest_count=hubs.largest,
        never_recommended=hubs.never_recommended,
        map_work=mean_average_precision(ranked, {track.path: track.work for track in tracks if track.work}),
    )


def score_rankings(
    analysed: Analysed,
    rankings: Sequence[str],
    parameters: FeaturesParameters,
    on_progress: Progress,
    for_each: ForEach = in_turn,
) -> dict[str, Scores]:
    """Score rankings of `rankings_named`, each by the distances of all pairs: no search stands between."""
    comparison = Comparison(Tracks.of(analysed.track_features, parameters), for_each)
    uncorrected = uncorrected_names(RANKINGS)

    def distances_by(ranking: str) -> NDArray[np.float64]:
        if ranking == RANDOM:
            return random_distances(len(analysed.tracks))
        if ranking in uncorrected:
            return comparison.uncorrected(uncorrected[ranking])
        return comparison.by_ranking(ranking_named(ranking))

    names = [track.path for track in analysed.tracks]
    scores = {}
    for done, ranking in enumerate(rankings):
        on_progress(done, len(rankings))
        scores[ranking] = scores_of(ranked_by(distances_by(ranking), names), analysed.tracks)
    return scores


@contextmanager
def _as_file(path: Path, chain: Chain | None) -> Iterator[Path]:
    if chain is None:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        reencoded = Path(folder) / "reencoded.mp3"
        reencode(path, reencoded, chain)
        yield reencoded


def _unusable(file: Path, what: str) -> UnusableManifest:
    return UnusableManifest(
        what,
        subject=str(file),
        remedy="Supply a CSV in UTF-8 with the columns path, artist, source and, if known, work",
    )
