"""Whether codec and level matter: a labelled set scored again, and recognised, after other encoders had it."""

from dataclasses import dataclass

import numpy as np

from mfcc_assets.audio.reencode import Chain
from mfcc_assets.errors import AudioError
from mfcc_assets.evaluation.labelled import Analysed, LabelledAudio, LabelledTrack, Progress, Scores
from mfcc_assets.features.fingerprint import Fingerprints
from mfcc_assets.features.track_features import TrackFeatures
from mfcc_assets.recognition.match import matches, shortlist
from mfcc_assets.similarity.pairwise import Comparison, Tracks
from mfcc_assets.similarity.ranking_names import DEFAULT_RANKING
from mfcc_assets.similarity.rankings import ranking_named

_MOST_QUERIES = 100
_QUERY_SECONDS = 30.0
_QUERY_RATES = (16_000, 24_000, 32_000)
_LARGEST_GAIN = 6.0


def one_chain(track: LabelledTrack) -> Chain:
    """What every track is put through: only its gain is its own."""
    return Chain(
        sample_rate=22_050, bit_rate=96_000, gain=_chance("gain", track).uniform(-_LARGEST_GAIN, _LARGEST_GAIN)
    )


def listeners_chain(track: LabelledTrack, seconds: float) -> Chain:
    """What a track of so many seconds went through before a listener asks about half a minute of it."""
    chance = _chance("query", track)
    return Chain(
        sample_rate=int(chance.choice(_QUERY_RATES)),
        bit_rate=64_000,
        gain=chance.uniform(-_LARGEST_GAIN, _LARGEST_GAIN),
        begin=chance.uniform(0, max(0.0, seconds - _QUERY_SECONDS)),
        seconds=_QUERY_SECONDS,
    )


def share_kept(before: Scores, after: Scores) -> float | None:
    """What re-encoding left of the precision at five; None where there was none."""
    return after.p_at_5 / before.p_at_5 if before.p_at_5 and after.p_at_5 is not None else None


@dataclass(frozen=True)
class Found:
    """How often a re-encoded cut finds the track that it is from before all others.

    Attributes
    ----------
    queries
        Tracks drawn, each from another.
    by_recognition
        Share found as the engine recognises an upload.
    by_ranking
        Share that the default ranking's distance alone puts first.
    """

    queries: int
    by_recognition: float
    by_ranking: float


def find_own_tracks(audio: LabelledAudio, library: Analysed, on_progress: Progress) -> Found:
    """Ask for some tracks of a library by re-encoded cuts of them. A cut that cannot be used finds nothing."""
    rows = _sample(len(library.tracks))
    by_name = dict(zip(library.audio_ids, library.track_features, strict=True))
    fingerprints = Fingerprints.of([(name, track_features.fingerprint) for name, track_features in by_name.items()])

    def ask(row: int) -> tuple[str | None, TrackFeatures] | None:
        track, whole = library.tracks[row], library.track_features[row]
        seconds = len(whole.contour) / audio.parameters.contour_rate
        try:
            query, track_features = audio.track_features(track, listeners_chain(track, seconds))
        except AudioError:
            return None
        return _recognised(audio, query, fingerprints), track_features

    asked = {}
    for done, (row, outcome) in enumerate(audio.for_each(ask, rows), start=1):
        on_progress(done, len(rows))
        asked[row] = outcome
    answered = {row: outcome for row in rows if (outcome := asked[row]) is not None}
    recognised = sum(name == library.audio_ids[row] for row, (name, _) in answered.items())
    compared = [*library.track_features, *(track_features for _, track_features in answered.values())]
    comparison = Comparison(Tracks.of(compared, audio.parameters), audio.for_each)
    distances = comparison.by_ranking(ranking_named(DEFAULT_RANKING))[len(library.tracks) :, : len(library.tracks)]
    nearest = sum(bool(to_all[row] <= to_all.min()) for row, to_all in zip(answered, distances, strict=True))
    return Found(len(rows), recognised / len(rows), nearest / len(rows))


def _recognised(audio: LabelledAudio, query: str, fingerprints: Fingerprints) -> str | None:
    """The name of what a query is recognised as, as by `mfcc_assets.recognition.recogniser.LibraryRecogniser`."""
    cepstra, parameters = audio.cepstra(query), audio.parameters.cepstra
    likely = shortlist(cepstra, fingerprints, parameters)
    found = matches(cepstra, ((name, audio.cepstra(name)) for name in likely), parameters)
    return found[0].audio_id if found else None


def _sample(tracks: int) -> list[int]:
    drawn = np.random.default_rng(0).choice(tracks, min(tracks, _MOST_QUERIES), replace=False)
    return sorted(drawn.tolist())


def _chance(purpose: str, track: LabelledTrack) -> np.random.Generator:
    return np.random.default_rng(list(f"{purpose} {track.path}".encode()))
