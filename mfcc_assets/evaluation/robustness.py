"""Robustness against re-encoding: score and recognise a labelled set whose tracks were encoded again."""

from dataclasses import dataclass

import numpy as np

from mfcc_assets.errors import AudioError
from mfcc_assets.evaluation.chains import listeners_chain
from mfcc_assets.evaluation.labelled import AnalysedTracks, LabelledSet, Progress
from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.features.track_features import TrackFeatures
from mfcc_assets.ids import AudioId
from mfcc_assets.ranking_names import DEFAULT_RANKING
from mfcc_assets.recognition.match import matches
from mfcc_assets.recognition.shortlist import shortlist
from mfcc_assets.similarity.pairwise import Comparison, Tracks
from mfcc_assets.similarity.rankings import ranking_named

_MAXIMUM_QUERIES = 100


def share_kept(before: float | None, after: float | None) -> float | None:
    """Return the ratio of the precision at five after and before re-encoding, or None if there was no precision."""
    return after / before if before and after is not None else None


@dataclass(frozen=True)
class Found:
    """Shares of re-encoded excerpts whose own track is found before all other tracks.

    Attributes
    ----------
    queries
        Number of excerpts, each from a different track.
    by_recognition
        Share of excerpts that recognition finds, as for an upload.
    by_ranking
        Share that is found by the distance of the default ranking alone.
    """

    queries: int
    by_recognition: float
    by_ranking: float


def find_own_tracks(labelled: LabelledSet, library: AnalysedTracks, on_progress: Progress) -> Found:
    """Query a library with re-encoded excerpts of some of its tracks. Excerpts that cannot be used find nothing."""
    rows = _sample(len(library.tracks))
    by_id = dict(zip(library.audio_ids, library.track_features, strict=True))
    fingerprints = Fingerprints.of([(audio_id, features.fingerprint) for audio_id, features in by_id.items()])

    def query(row: int) -> tuple[AudioId | None, TrackFeatures] | None:
        track, whole = library.tracks[row], library.track_features[row]
        seconds = len(whole.contour) / labelled.parameters.contour_rate
        try:
            audio_id, track_features = labelled.track_features(track, listeners_chain(track, seconds))
        except AudioError:
            return None
        return _recognised(labelled, audio_id, fingerprints), track_features

    outcomes = {}
    for done, (row, outcome) in enumerate(labelled.for_each(query, rows), start=1):
        on_progress(done, len(rows))
        outcomes[row] = outcome
    usable = {row: outcome for row in rows if (outcome := outcomes[row]) is not None}
    recognised = sum(audio_id == library.audio_ids[row] for row, (audio_id, _) in usable.items())
    compared = [*library.track_features, *(track_features for _, track_features in usable.values())]
    comparison = Comparison(Tracks.of(compared, labelled.parameters), labelled.for_each)
    distances = comparison.by_ranking(ranking_named(DEFAULT_RANKING))[len(library.tracks) :, : len(library.tracks)]
    nearest = sum(bool(to_all[row] <= to_all.min()) for row, to_all in zip(usable, distances, strict=True))
    return Found(len(rows), recognised / len(rows), nearest / len(rows))


def _recognised(labelled: LabelledSet, audio_id: AudioId, fingerprints: Fingerprints) -> AudioId | None:
    """Return the audio id that a query is recognised as, as `LibraryRecogniser` does."""
    cepstra, parameters = labelled.cepstra(audio_id), labelled.parameters.cepstra
    likely = shortlist(cepstra, [fingerprints], parameters)
    found = matches(cepstra, ((other, labelled.cepstra(other)) for other in likely), parameters)
    return found[0].audio_id if found else None


def _sample(tracks: int) -> list[int]:
    drawn = np.random.default_rng(0).choice(tracks, min(tracks, _MAXIMUM_QUERIES), replace=False)
    return sorted(drawn.tolist())
