"""Labelled sets of audio files and their features. They are kept apart from the user's library."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.file_properties import FileProperties, read_file_properties
from mfcc_assets.audio.reader import AudioLimits
from mfcc_assets.audio.reencode import Chain, reencode
from mfcc_assets.errors import AudioError, UnreadableAudio, UnusableManifest
from mfcc_assets.evaluation.manifest import LabelledTrack
from mfcc_assets.features.file_analysis import analyse_file
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.track_features import Analysis, TrackFeatures, track_features_of
from mfcc_assets.for_each import ForEach, in_turn
from mfcc_assets.ids import AudioId, content_digest, track_id
from mfcc_assets.recognition.copies import group_copies
from mfcc_assets.recognition.duplicates import is_same_recording
from mfcc_assets.recognition.match import align

Progress = Callable[[int, int], None]
"""Reports progress: the number of finished items, and the number of all items."""


@dataclass(frozen=True)
class AnalysedTracks:
    """The usable tracks of a labelled set, in an order that looks random and is always the same.

    Attributes
    ----------
    tracks
        Rows of the manifest.
    audio_ids
        Audio id of each track.
    track_features
        Features of each track.
    rejected
        Reasons why tracks cannot be used, by path.
    recordings
        Path of the track that represents the recording of each track, by path. Several files may hold one recording.
    """

    tracks: Sequence[LabelledTrack]
    audio_ids: Sequence[AudioId]
    track_features: Sequence[TrackFeatures]
    rejected: Mapping[str, str]
    recordings: Mapping[str, str] = field(default_factory=dict)


class StoredFeatures(Protocol):
    """Port to the stored features. `mfcc_assets.storage.feature_store.FeatureStore` implements it."""

    def has_cepstra(self, audio_id: AudioId, parameters: CepstraParameters) -> bool: ...
    def has_track_features(self, audio_id: AudioId, parameters: FeaturesParameters) -> bool: ...
    def read_cepstra(self, audio_id: AudioId, parameters: CepstraParameters) -> NDArray[np.float32]: ...
    def read_analysis(self, audio_id: AudioId, parameters: CepstraParameters) -> Analysis: ...
    def write_analysis(self, audio_id: AudioId, analysis: Analysis, parameters: CepstraParameters) -> None: ...
    def read_track_features(self, audio_id: AudioId, parameters: FeaturesParameters) -> TrackFeatures: ...
    def write_track_features(
        self, audio_id: AudioId, track_features: TrackFeatures, parameters: FeaturesParameters
    ) -> None: ...


class LabelledSet:
    """A set of labelled audio files. Their features are computed once and then stored.

    Here the audio id of a file is a digest of its bytes and of the chain that re-encodes it. So a file need not be
    decoded to find its features, and they are found again if the files move to another folder.

    Parameters
    ----------
    store
        Storage of the features.
    folder
        Folder of the audio files.
    tracks
        Tracks from `mfcc_assets.evaluation.manifest.read_manifest`.
    parameters
        Parameters of the features.
    limits
        Limits on the audio that is accepted.
    for_each
        Function that applies another function to many items: `in_turn`, or `mfcc_assets.compute.local.on_all_cores`.
    """

    def __init__(
        self,
        store: StoredFeatures,
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

    def analyse(
        self, on_progress: Progress, chain_of: Callable[[LabelledTrack], Chain] | None = None
    ) -> AnalysedTracks:
        """Analyse every track.

        Parameters
        ----------
        on_progress
            Called after each track.
        chain_of
            Returns the chain that re-encodes a track before it is analysed. By default, tracks are not re-encoded.

        Raises
        ------
        UnusableManifest
            If no track can be used.
        """

        def outcome_of(track: LabelledTrack) -> tuple[AudioId, TrackFeatures] | str:
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
                remedy="Paths in the manifest are relative to the folder of the audio",
            )
        return AnalysedTracks(
            tracks=list(used),
            audio_ids=[audio_id for audio_id, _ in used.values()],
            track_features=[track_features for _, track_features in used.values()],
            rejected=rejected,
            recordings=self._recordings(used),
        )

    def track_features(self, track: LabelledTrack, chain: Chain | None) -> tuple[AudioId, TrackFeatures]:
        """Return the audio id and the features of a track.

        Parameters
        ----------
        track
            A track of the set.
        chain
            Re-encodes the track first; None to analyse the file as it is.

        Raises
        ------
        AudioError
            If the audio cannot be used.
        OSError
            If the file cannot be opened.
        """
        path = self.file_of(track)
        with path.open("rb") as file:
            digest = content_digest(file)
        if chain:
            digest = hashlib.blake2b(f"{digest} {chain.recipe}".encode(), digest_size=16).hexdigest()
        audio_id = AudioId(digest)
        if not self._store.has_track_features(audio_id, self.parameters):
            if not self._store.has_cepstra(audio_id, self.parameters.cepstra):
                with encoded_again(path, chain) as file_to_analyse:
                    analysis = analyse_file(file_to_analyse, self.parameters.cepstra, self._limits, track.path).analysis
                self._store.write_analysis(audio_id, analysis, self.parameters.cepstra)
            analysis = self._store.read_analysis(audio_id, self.parameters.cepstra)
            self._store.write_track_features(audio_id, track_features_of(analysis, self.parameters), self.parameters)
        return audio_id, self._store.read_track_features(audio_id, self.parameters)

    def file_properties(self, tracks: Sequence[LabelledTrack], on_progress: Progress) -> dict[str, FileProperties]:
        """Return the properties of the files of analysed tracks, by path; `on_progress` is called after each track."""
        found = {}
        for track, properties in self.for_each(lambda track: read_file_properties(self.file_of(track)), tracks):
            found[track.path] = properties
            on_progress(len(found), len(tracks))
        return found

    def file_of(self, track: LabelledTrack) -> Path:
        """Return the path of a track's file."""
        return self._folder / track.path

    def cepstra(self, audio_id: AudioId) -> NDArray[np.float32]:
        """Return the cepstra (frames, d) of an analysed track."""
        return self._store.read_cepstra(audio_id, self.parameters.cepstra)

    def _recordings(self, used: Mapping[LabelledTrack, tuple[AudioId, TrackFeatures]]) -> dict[str, str]:
        tracks, found = list(used), list(used.values())

        def is_same(row: int, other: int) -> bool:
            (audio_id, one), (other_id, two) = found[row], found[other]
            same = is_same_recording(one.fingerprint, two.fingerprint)
            if same is None:
                same = align(self.cepstra(audio_id), self.cepstra(other_id), self.parameters.cepstra).same_recording
            return same

        every = range(len(found))
        first = group_copies(len(found), every, lambda rows, _: [every] * len(rows), is_same)
        return {track.path: tracks[row].path for track, row in zip(tracks, first.tolist(), strict=True)}

    def _largest_first(self) -> list[LabelledTrack]:
        """Return the tracks by size. A large track at the end would keep one core busy while the others are idle."""

        def size(track: LabelledTrack) -> int:
            try:
                return (self._folder / track.path).stat().st_size
            except OSError:
                return 0

        return sorted(self._tracks, key=size, reverse=True)


@contextmanager
def encoded_again(path: Path, chain: Chain | None) -> Iterator[Path]:
    """Yield a re-encoded copy of a file, or the file itself if there is no chain.

    Raises
    ------
    UnreadableAudio
        If the file cannot be read, or if the encoder of the chain cannot encode it.
    OSError
        If the file cannot be opened.
    """
    if chain is None:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        reencoded = Path(folder) / f"reencoded{chain.codec.suffix}"
        try:
            reencode(path, reencoded, chain)
        except av.FFmpegError as error:
            raise UnreadableAudio(
                f"its samples cannot be encoded by {chain.codec.encoder}",
                subject=path.name,
                remedy="Export the file again at 44,100 Hz",
            ) from error
        yield reencoded
