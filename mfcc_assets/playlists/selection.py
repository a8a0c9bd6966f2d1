"""Selection of a list from a ranking: each recording at most once, and few tracks of one artist or album."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from mfcc_assets.credits import ArtistNames, Credited, albums_of
from mfcc_assets.ids import AudioId, TrackId

SameRecording = Callable[[AudioId, AudioId], bool]
"""Returns True if two audio ids are the same recording."""

_CappedName = str | tuple[str, str]
"""An artist, or an album with its owner."""

_RANKED_PER_CHOSEN = 2


class CreditedTrack(Credited, Protocol):
    """A track of the library with its credits."""

    @property
    def track_id(self) -> TrackId: ...


def considered_count(count: int) -> int:
    """Return the number of nearest tracks from which a list of `count` tracks is chosen.

    Examples
    --------
    >>> considered_count(5)
    10
    """
    return _RANKED_PER_CHOSEN * count


@dataclass(frozen=True)
class Selection:
    """The rules that a list follows.

    Attributes
    ----------
    credits
        Credits of every track that may be chosen, by audio id.
    is_same_recording
        Returns True if two audio ids are the same recording.
    cap
        Maximum number of tracks of one artist, and of one album; 0 for no maximum. `mfcc_assets.credits` decides what
        one artist and one album are. A track of several artists counts for each. Tracks without an artist are not
        limited by artist, and tracks without an album are not limited by album.

    Examples
    --------
    >>> from mfcc_assets.credits import Credits
    >>> credits = {"a": Credits("Abba"), "b": Credits("ABBA feat. Cher"), "c": Credits("Blur")}
    >>> selection = Selection(credits, is_same_recording=lambda one, other: False, cap=1)
    >>> selection.choose(["a", "b", "c"], 2)
    ['a', 'c']
    """

    credits: Mapping[AudioId, CreditedTrack]
    is_same_recording: SameRecording
    cap: int

    def choose(self, ranked: Iterable[AudioId], count: int, *, without: Collection[AudioId] = ()) -> list[AudioId]:
        """Choose at most `count` tracks from a ranking.

        Tracks beyond the cap are used only if the other tracks do not fill the list. They then follow all others.

        Parameters
        ----------
        ranked
            Audio ids, best first. They are read only as far as needed.
        count
            Number of tracks in the list.
        without
            Audio ids to leave out, together with all other encodings of the same recordings. For example, the query.

        Returns
        -------
        list of str
            Audio ids, best first, followed by those beyond the cap.
        """
        chosen: list[AudioId] = []
        beyond_cap: list[AudioId] = []
        counts: Counter[_CappedName] = Counter()
        for audio_id in ranked:
            if len(chosen) == count:
                break
            if self.is_one_of(audio_id, (*without, *chosen)):
                continue
            if self._exceeds_cap(audio_id, counts):
                beyond_cap.append(audio_id)
                continue
            counts.update(self.capped_names(audio_id))
            chosen.append(audio_id)
        for audio_id in beyond_cap:
            if len(chosen) < count and not self.is_one_of(audio_id, chosen):
                chosen.append(audio_id)
        return chosen

    def is_one_of(self, audio_id: AudioId, others: Iterable[AudioId]) -> bool:
        """Return True if an audio id is among the others, or is the same recording as one of them."""
        return any(audio_id == other or self.is_same_recording(audio_id, other) for other in others)

    def distinct(self, audio_ids: Iterable[AudioId]) -> list[AudioId]:
        """Return the first audio id of each recording, in the given order."""
        kept: list[AudioId] = []
        for audio_id in audio_ids:
            if not self.is_one_of(audio_id, kept):
                kept.append(audio_id)
        return kept

    def beyond_cap(self, audio_ids: Iterable[AudioId]) -> set[AudioId]:
        """Return the audio ids that exceed the cap of their artist or album, counted in the given order."""
        counts: Counter[_CappedName] = Counter()
        beyond = set()
        for audio_id in audio_ids:
            if self._exceeds_cap(audio_id, counts):
                beyond.add(audio_id)
            else:
                counts.update(self.capped_names(audio_id))
        return beyond

    def _exceeds_cap(self, audio_id: AudioId, counts: Counter[_CappedName]) -> bool:
        return self.cap > 0 and any(counts[name] >= self.cap for name in self.capped_names(audio_id))

    def capped_names(self, audio_id: AudioId) -> Sequence[_CappedName]:
        """Return the artists and albums for which a track counts."""
        track = self.credits[audio_id]
        # All tracks of an album in one folder have the same names, unless their artists differ.
        folder = track.blob_name.rpartition("/")[0]
        written = track.artist, tuple(track.artists), track.album_artist, track.album, folder
        known = self._known_names.get(written)
        if known is None:
            artists = self._artist_names.of(track)
            known = self._known_names[written] = (*artists, *albums_of(track, artists))
        return known

    @cached_property
    def _artist_names(self) -> ArtistNames:
        return ArtistNames(self.credits.values())

    @cached_property
    def _known_names(self) -> dict[tuple[str, tuple[str, ...], str, str, str], Sequence[_CappedName]]:
        return {}
