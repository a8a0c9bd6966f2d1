"""Labelled sets of made-up features, without audio files."""

import numpy as np

from mfcc_assets.evaluation.labelled import AnalysedTracks
from mfcc_assets.evaluation.manifest import LabelledTrack
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.track_features import track_features_of
from mfcc_assets_tests.ranked_library import analysed, audio_id, cepstra

PARAMETERS = FeaturesParameters()


def made_up_tracks(artists: int, of_each: int, coding: float = 0.0) -> AnalysedTracks:
    """Return tracks of several artists, each with a sound of his own.

    Parameters
    ----------
    artists, of_each
        Number of artists, and of the tracks of each.
    coding
        Number that a chain adds to the sound of every track.
    """
    tracks, features = [], []
    for number in range(artists * of_each):
        artist = number % artists
        # Tracks of an artist differ by as much as the walk of one track does.
        sound = cepstra(number) - cepstra(number).mean(axis=0) + 40 * np.random.default_rng(artist).normal(size=13)
        sound += coding
        tracks.append(LabelledTrack(f"{number}.ogg", f"Artist {artist}"))
        features.append(track_features_of(analysed(sound.astype(np.float32)), PARAMETERS))
    return AnalysedTracks(tracks, [audio_id(number) for number in range(len(tracks))], features, {})
