"""What an index is made of."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.core.identifiers import TrackOfAudio
from mfcc_assets.core.matching import Sketches
from mfcc_assets.core.parameters import FeaturesParameters
from mfcc_assets.core.prefilter import Prefilter
from mfcc_assets.core.stacked import Stacked
from mfcc_assets.core.summary import Summaries


@dataclass(frozen=True)
class IndexParameters:
    """What an index was built for, beside its tracks.

    Attributes
    ----------
    features
        How its features were made; a query is analysed in the same way.
    ranking
        Name of the ranking that orders candidates.
    places
        How many tracks are ranked for each query.
    """

    features: FeaturesParameters
    ranking: str
    places: int


@dataclass(frozen=True)
class LibraryIndex:
    """A version of everything that is searched. One that is stored reads each part when it is first looked at.

    Attributes
    ----------
    tracks
        By audio id the track that stood for it when the index was built. Its order is that of the rows of every part.
    scales : (d,)
        Deviation of each coefficient over the library, when it was measured.
    calibrated_tracks
        Size of the library when the scales were measured.
    open_summaries, open_outlines, open_sketches, open_prefilter
        How the attributes of these names are read.
    """

    parameters: IndexParameters
    tracks: TrackOfAudio
    scales: NDArray[np.float64]
    calibrated_tracks: int
    open_summaries: Callable[[], Summaries]
    open_outlines: Callable[[], Stacked]
    open_sketches: Callable[[], Sketches]
    open_prefilter: Callable[[], Prefilter]

    @classmethod
    def of(
        cls,
        parameters: IndexParameters,
        tracks: TrackOfAudio,
        summaries: Summaries,
        outlines: Stacked,
        sketches: Sketches,
        prefilter: Prefilter,
        calibrated_tracks: int,
    ) -> "LibraryIndex":
        """An index of parts that are there."""
        return cls(
            parameters,
            tracks,
            prefilter.scales,
            calibrated_tracks,
            open_summaries=lambda: summaries,
            open_outlines=lambda: outlines,
            open_sketches=lambda: sketches,
            open_prefilter=lambda: prefilter,
        )

    @cached_property
    def summaries(self) -> Summaries:
        return self.open_summaries()

    @cached_property
    def outlines(self) -> Stacked:
        """Of every track the contour made coarser by `mfcc_assets.core.cascade.OUTLINE`."""
        return self.open_outlines()

    @cached_property
    def sketches(self) -> Sketches:
        return self.open_sketches()

    @cached_property
    def prefilter(self) -> Prefilter:
        """Search over the embeddings, with the scales."""
        return self.open_prefilter()

    def opened(self) -> Self:
        """The index with every part read; CorruptIndex where one is not what was written."""
        _ = self.summaries, self.outlines, self.sketches, self.prefilter
        return self

    @cached_property
    def version(self) -> str:
        """Names the index by what it holds: the same library and parameters give the same version."""
        made_for = [self.parameters.features.version, self.parameters.ranking, self.parameters.places]
        content = hashlib.blake2b(json.dumps([made_for, self.scales.tolist()]).encode(), digest_size=6)
        for ids in (self.tracks.audio_ids.array, self.tracks.track_ids.array):
            content.update(f"{ids.dtype}{len(ids)}".encode())
            content.update(np.ascontiguousarray(ids).data)
        return content.hexdigest()
