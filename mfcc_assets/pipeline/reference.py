"""Compare the features of a library with those of the published method."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.reader import AudioLimits, AudioReader
from mfcc_assets.errors import FeaturesMissing, MfccError, UnreadableAudio
from mfcc_assets.evaluation.published import (
    LARGEST_DIFFERENCE,
    FastdtwExcess,
    fastdtw_excess,
    largest_difference,
    published_cepstra,
    summed_excess,
)
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.library import Library
from mfcc_assets.plots.tracks import published_heat_map
from mfcc_assets.storage.blobs.port import SOUNDTRACKS
from mfcc_assets.storage.sql.records import Soundtrack

TRACKS_DRAWN = 3

LONGEST_SECONDS = 600.0
"""Longer tracks are not drawn, because the published method takes long and much memory for them."""

_MOST_MISSING_SECONDS = 1.0
"""librosa reads only the first one of several streams in a file. If more than this is missing, nothing is compared."""

_MOST_TRIED = 10
"""Largest number of tracks that are tried, so that a library that librosa cannot read is not fetched as a whole."""


@dataclass(frozen=True)
class ComparedTrack:
    """The cepstra that are stored for a track, compared with the published ones.

    Attributes
    ----------
    name
        Name of the track's blob.
    frames
        Number of frames that are stored.
    largest_difference
        Largest absolute difference of any two numbers; infinite if the frames do not correspond.
    published : (frames, coefficients)
        The published cepstra.
    """

    name: str
    frames: int
    largest_difference: float
    published: NDArray[np.float64]

    @property
    def matches(self) -> bool:
        return self.largest_difference <= LARGEST_DIFFERENCE

    def record(self) -> dict[str, Any]:
        """Return the comparison as JSON; the difference is None if it is infinite."""
        difference = self.largest_difference if isfinite(self.largest_difference) else None
        return {"frames": self.frames, "largest_difference": difference}


@dataclass(frozen=True)
class ComparedPair:
    """The distance of two tracks in one coefficient, by fastdtw and exactly."""

    a: str
    b: str
    coefficient: int
    excess: FastdtwExcess


@dataclass(frozen=True)
class ReferenceReport:
    """A comparison of a few tracks of a library with the published method.

    Attributes
    ----------
    tracks
        The tracks that were compared.
    skipped
        Reason why a track could not be compared, by the name of its blob.
    pair
        The first two of the tracks; None if there are not two.
    """

    tracks: Sequence[ComparedTrack]
    skipped: dict[str, str]
    pair: ComparedPair | None

    @property
    def matches(self) -> bool:
        """True if no track differs by more than `LARGEST_DIFFERENCE`."""
        return all(track.matches for track in self.tracks)

    @property
    def picture(self) -> bytes | None:
        """Heat map of the first track's published cepstra, as a PNG; None if no track was compared."""
        return published_heat_map(self.tracks[0].published, self.tracks[0].name) if self.tracks else None


@dataclass(frozen=True)
class PublishedPair:
    """Two tracks, and their distance as the article computes it.

    Attributes
    ----------
    a, b
        The comparisons of their cepstra.
    excess
        The sum of the distances of all coefficients, by fastdtw and exactly.
    """

    a: ComparedTrack
    b: ComparedTrack
    excess: FastdtwExcess

    def record(self) -> dict[str, Any]:
        """Return the pair as JSON: ``a`` and ``b`` as `ComparedTrack.record`, and ``distance``."""
        distance = {
            "fastdtw": self.excess.fastdtw,
            "exact": self.excess.exact,
            "excess_percent": self.excess.percent,
        }
        return {"a": self.a.record(), "b": self.b.record(), "distance": distance}


def compare_with_published(library: Library, *, run_id: str) -> ReferenceReport:
    """Compare a few tracks of a library with the published method.

    Up to `TRACKS_DRAWN` tracks are drawn at random: from those that the run has observed as new or changed, or from the
    whole library if the run has observed none. The same run id draws the same tracks from the same library.
    """
    parameters = library.feature_parameters.cepstra
    chance = np.random.default_rng(list(run_id.encode()))
    observed = _comparable(library.catalogue.soundtracks_of_run(run_id))
    candidates = observed or _comparable(library.catalogue.soundtracks())
    tracks: list[ComparedTrack] = []
    skipped: dict[str, str] = {}
    for row in chance.permutation(len(candidates))[:_MOST_TRIED]:
        track = candidates[row]
        try:
            tracks.append(compare_track(library, track, parameters))
        except (MfccError, OSError) as error:
            # The comparison only informs: a file that cannot be fetched now is no reason to fail a run.
            skipped[track.blob_name] = str(error)
        if len(tracks) == TRACKS_DRAWN:
            break
    coefficient = int(chance.integers(1, parameters.coefficients, endpoint=True))
    return ReferenceReport(tracks, skipped, _compare_pair(tracks, coefficient))


def compare_as_published(
    library: Library,
    a: Soundtrack,
    b: Soundtrack,
    parameters: CepstraParameters,
    on_progress: Callable[[int, int], None] = lambda *_: None,
) -> PublishedPair:
    """Compare the stored cepstra of two tracks with the published ones, and the distance by fastdtw with the exact one.

    fastdtw at full length takes seconds for each of the coefficients.

    Parameters
    ----------
    library
        The library.
    a, b
        Two analysed soundtracks of the library.
    parameters
        Definition of the stored cepstra.
    on_progress
        Called after each coefficient with the number of coefficients done and their total.

    Raises
    ------
    UnreadableAudio
        If librosa cannot read one of the files.
    FeaturesMissing
        If the cepstra of a track are missing or damaged.
    BlobNotFound
        If a file is gone.
    """
    compared = compare_track(library, a, parameters), compare_track(library, b, parameters)
    excess = summed_excess(compared[0].published, compared[1].published, on_progress)
    return PublishedPair(*compared, excess)


def compare_track(library: Library, track: Soundtrack, parameters: CepstraParameters) -> ComparedTrack:
    """Compare the stored cepstra of one track with the published ones; errors as for `compare_as_published`."""
    if track.audio_id is None:
        raise FeaturesMissing("it was not analysed", subject=track.blob_name, remedy="Materialise the library")
    ours = library.features.read_cepstra(track.audio_id, parameters)
    with library.blobs.as_file(SOUNDTRACKS, track.blob_name) as path:
        try:
            published = published_cepstra(path, parameters, skipped=_skipped_samples(path, parameters, library.limits))
        except UnreadableAudio as error:
            raise UnreadableAudio(error.what, subject=track.blob_name, remedy=error.remedy) from error
    missing = (len(ours) - len(published)) * parameters.step_seconds
    if missing > _MOST_MISSING_SECONDS:
        what = f"librosa does not read the last {missing:.1f} s of it"
        raise UnreadableAudio(what, subject=track.blob_name, remedy="Compare another track")
    return ComparedTrack(track.blob_name, len(ours), largest_difference(ours, published), published)


def _skipped_samples(path: Path, parameters: CepstraParameters, limits: AudioLimits) -> slice:
    """Return the samples that `mfcc_assets.features.file_analysis.analyse_file` skips to align the frames."""
    reader = AudioReader(
        path, parameters.sample_rate, parameters.trimmed_samples, limits, aligned_to=parameters.step_samples
    )
    for _ in reader.blocks():
        pass
    return reader.audio.skipped


def _comparable(tracks: Sequence[Soundtrack]) -> list[Soundtrack]:
    """Return the tracks that are analysed, not too long, and not cut off in the middle."""
    return [
        track
        for track in tracks
        if track.audio_id is not None
        and track.analysed_digest == track.content_digest
        and not track.note
        and (track.seconds or 0.0) <= LONGEST_SECONDS
    ]


def _compare_pair(tracks: Sequence[ComparedTrack], coefficient: int) -> ComparedPair | None:
    if len(tracks) < 2:
        return None
    a, b = tracks[:2]
    return ComparedPair(a.name, b.name, coefficient, fastdtw_excess(a.published, b.published, coefficient))
