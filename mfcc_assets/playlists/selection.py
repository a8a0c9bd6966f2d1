"""From a ranking to the list that a listener gets: no recording twice, and not too much of one artist."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

SameRecording = Callable[[str, str], bool]
"""Whether two audio ids are one recording."""

_CONSIDERED = 2


class Credited(Protocol):
    """A track, and what it says of who made it: nothing where it does not say."""

    @property
    def track_id(self) -> str: ...
    @property
    def artist(self) -> str: ...
    @property
    def album(self) -> str: ...


def considered(size: int) -> int:
    """How many nearest tracks a list of so many is chosen from."""
    return _CONSIDERED * size


@dataclass(frozen=True)
class Selection:
    """What a list may hold.

    Attributes
    ----------
    credits
        Of every track that may be chosen, by audio id.
    is_same_recording
        Of two audio ids.
    most
        Tracks of one artist, and tracks of one album, that a list has at most; 0 where it does not matter. Artists are
        the same whatever their case and the space around them. A track without artist is never one too many of it.
    """

    credits: Mapping[str, Credited]
    is_same_recording: SameRecording
    most: int

    def choose(self, ranked: Iterable[str], size: int, *, without: Collection[str] = ()) -> list[str]:
        """Choose at most `size` tracks, best first.

        Tracks beyond the cap come below the line: after all that it allows, where these do not fill the list.

        Parameters
        ----------
        ranked
            Audio ids, best first. It is read no further than needed.
        without
            Audio that no chosen one may be, nor be the same recording as: the query.
        """
        chosen: list[str] = []
        below: list[str] = []
        counts: Counter[tuple[str, str]] = Counter()
        for audio_id in ranked:
            if len(chosen) == size:
                break
            if self.is_one_of(audio_id, (*without, *chosen)):
                continue
            if self._is_too_many(audio_id, counts):
                below.append(audio_id)
                continue
            counts.update(self._capped(audio_id))
            chosen.append(audio_id)
        for audio_id in below:
            if len(chosen) < size and not self.is_one_of(audio_id, chosen):
                chosen.append(audio_id)
        return chosen

    def is_one_of(self, audio_id: str, others: Iterable[str]) -> bool:
        """Whether an audio is one of these, or the same recording as one."""
        return any(audio_id == other or self.is_same_recording(audio_id, other) for other in others)

    def distinct(self, audio_ids: Iterable[str]) -> list[str]:
        """Each recording once, as the first of these that is it."""
        kept: list[str] = []
        for audio_id in audio_ids:
            if not self.is_one_of(audio_id, kept):
                kept.append(audio_id)
        return kept

    def beyond_cap(self, audio_ids: Iterable[str]) -> set[str]:
        """Which of these are one too many of their artist or album, going from the first to the last."""
        counts: Counter[tuple[str, str]] = Counter()
        beyond = set()
        for audio_id in audio_ids:
            if self._is_too_many(audio_id, counts):
                beyond.add(audio_id)
            else:
                counts.update(self._capped(audio_id))
        return beyond

    def _is_too_many(self, audio_id: str, counts: Counter[tuple[str, str]]) -> bool:
        return self.most > 0 and any(counts[name] >= self.most for name in self._capped(audio_id))

    def _capped(self, audio_id: str) -> list[tuple[str, str]]:
        credit = self.credits[audio_id]
        named = {"artist": credit.artist.strip().casefold(), "album": credit.album.strip().casefold()}
        return [(kind, name) for kind, name in named.items() if name]
