"""A library as programs and notebooks in Python have it: what `mfcc_assets.open_library` opens.

The names of this module, which `mfcc_assets` has too, are the ones that programs can count on. Everything else in the
package may change. Each method is a thin layer over a function of `mfcc_assets.pipeline`, and returns small records.
"""

from functools import cached_property
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from mfcc_assets.errors import SettingsError, TrackNotFound
from mfcc_assets.ids import TrackId
from mfcc_assets.music_records import Coefficient, Explanation, NearTrack, Recommendations, Stretch, Track

if TYPE_CHECKING:
    from mfcc_assets.library import Library
    from mfcc_assets.pipeline.explain import ExplainedPair
    from mfcc_assets.pipeline.opened_index import PublishedIndex
    from mfcc_assets.similarity.nearness import Nearness
    from mfcc_assets.storage.sql.records import Soundtrack


NamedTrack: TypeAlias = Track | NearTrack | str
"""A track, a near track, or a text that names one: its id, its title, the name of its file, or a part of a title or a
name that no other track has."""

File: TypeAlias = str | PathLike[str]


def open_library(home: File | None = None) -> "MusicLibrary":
    """Open the library in a folder, to ask it for recommendations.

    Parameters
    ----------
    home
        Folder of the library, which `mfcc add` or `make demo` has made. By default, the settings of the environment
        name it, as for every `mfcc` command, and without them it is ``mfcc_data`` in the current folder.

    Returns
    -------
    MusicLibrary
        The library. Close it after use, or use it in a ``with`` statement. It may be shared by threads.

    Raises
    ------
    SettingsError
        If there is no library in the folder.

    Examples
    --------
    Print five tracks that sound like a file::

        from mfcc_assets import open_library

        with open_library("mfcc_data") as library:
            for found in library.recommend("song.mp3").tracks:
                print(found)

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as home:
    ...     open_library(home)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    mfcc_assets.errors.SettingsError: ...: there is no library in this folder. Check the path. ...
    """
    from mfcc_assets.library import Library
    from mfcc_assets.settings import Settings

    settings = Settings() if home is None else Settings(home=Path(home))
    if settings.profile == "local" and not settings.holds_library:
        raise SettingsError(
            "there is no library in this folder",
            subject=str(settings.folder),
            remedy="Check the path. `mfcc add PATH` makes a library in the folder that MFCC_HOME names",
        )
    return MusicLibrary(Library(settings))


class MusicLibrary:
    """A library that answers. Open one by `open_library`.

    Every method uses the index that is published at the time, and raises a subclass of `mfcc_assets.errors.MfccError`
    if it cannot answer: `NoPublishedIndex` if nothing was indexed yet, `TrackNotFound` if a text names no track or
    several, `FeaturesMissing` if a track is not in the index, `AudioError` if a file cannot be used, and
    `PlaylistImpossible` if a path would begin and end with one recording. A file that cannot be opened is an `OSError`.

    Parameters
    ----------
    library
        The stores of the library. They are closed with it.
    """

    def __init__(self, library: "Library") -> None:
        self._library = library

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the stores of the library."""
        self._library.close()

    def tracks(self) -> tuple[Track, ...]:
        """Return every track of the library, sorted by the names of the files."""
        return tuple(map(self._track, self._library.catalogue.soundtracks()))

    def find(self, name: str) -> Track:
        """Return the track that a text names: by its id, its title, the name of its file, or a part of these."""
        return self._track(self._soundtrack(name))

    def recommend(self, file: File, *, count: int | None = None) -> Recommendations:
        """Recommend the tracks that sound most like an audio file. The file need not be in the library.

        The file is recognised first, and its recording is not recommended. An upload of the file gets the same list.
        Nothing of it is stored.

        Parameters
        ----------
        file
            Path of an audio file of any format.
        count
            Number of tracks. The default is the setting ``MFCC_RECOMMENDATIONS``, which is 5.
        """
        from mfcc_assets.pipeline.recommend_file import recommend_file
        from mfcc_assets.storage.blobs.plain_path import plain_path

        wanted = _at_least(1, self._library.settings.recommendations if count is None else count, "recommendations")
        with plain_path(Path(file)) as path:
            answer = recommend_file(self._library, path, count=wanted)
        known = answer.recognised
        return Recommendations(
            title=known.title if known else "",
            artist=known.artist if known else "",
            recognised_by=known.by if known else "",
            tracks=tuple(
                self._near(answer.soundtracks[each.track_id], each.distance, nearness)
                for each, nearness in zip(answer.recommendations, answer.nearness, strict=True)
            ),
            index_version=answer.index_version,
        )

    def neighbours(self, track: NamedTrack, *, count: int = 5) -> tuple[NearTrack, ...]:
        """Return the tracks that sound most like a track of the library.

        The first are its recommendations, with no more of one artist than the settings allow. The others follow by
        their distance.

        Parameters
        ----------
        track
            A track, or what names it.
        count
            Number of tracks. They are fewer if the library has fewer.
        """
        from mfcc_assets.pipeline.neighbours import neighbours

        wanted = _at_least(1, count, "neighbours")
        found = neighbours(self._library, self._published.opened(), self._soundtrack(track), count=wanted)
        return tuple(self._near(each.track, each.distance, each.nearness) for each in found)

    def explain(self, a: NamedTrack | Path, b: NamedTrack) -> Explanation:
        """Explain how near two tracks are to each other, or a track is to a file.

        Parameters
        ----------
        a
            A track, or what names it. A `pathlib.Path` is an audio file, which need not be in the library.
        b
            A track of the library, or what names it.
        """
        pair = self._pair(a, b)
        nearness = pair.nearness
        return Explanation(
            sentences=tuple(map(str, pair.sentences)),
            distance=float(pair.ranked_distance),
            closer_than=nearness.closer_than if nearness else None,
            nearness=str(nearness.word) if nearness else "",
            coefficients=tuple(
                Coefficient(each.name, str(each.stands_for), each.share) for each in pair.explanation.coefficients
            ),
            stretches=tuple(
                Stretch(each.a_start, each.a_end, each.b_start, each.b_end, each.closer_than)
                for each in pair.explanation.stretches
            ),
        )

    def draw(self, a: NamedTrack | Path, b: NamedTrack) -> bytes:
        """Draw a pair as `explain` has it, in PNG: its cepstra, the path that aligns them, and what sounds alike."""
        from mfcc_assets.pipeline.explain import picture_of_pair

        return picture_of_pair(self._published.opened().index, self._pair(a, b))

    def path(self, start: NamedTrack, end: NamedTrack, *, steps: int = 8) -> tuple[NearTrack, ...]:
        """Return a path through the library, on which each track sounds like the one before it.

        Parameters
        ----------
        start, end
            The ends of the path: tracks, or what names them.
        steps
            Number of tracks, both ends included. The path is shorter if the library has fewer.

        Returns
        -------
        tuple of NearTrack
            The tracks in their order. Each is compared with the one before it. The first has the distance 0.
        """
        from mfcc_assets.pipeline.playlists import path_between

        wanted = _at_least(2, steps, "tracks of a path")
        first, last = self._soundtrack(start), self._soundtrack(end)
        found = path_between(self._library, self._published.opened(), first, last, steps=wanted)
        steps_to = zip(found.soundtracks, (0.0, *found.distances), (None, *found.nearness), strict=True)
        return tuple(self._near(track, distance, nearness) for track, distance, nearness in steps_to)

    @cached_property
    def _published(self) -> "PublishedIndex":
        from mfcc_assets.pipeline.opened_index import PublishedIndex

        return PublishedIndex(self._library)

    def _soundtrack(self, named: NamedTrack) -> "Soundtrack":
        if isinstance(named, str):
            from mfcc_assets.pipeline.find_track import find_track

            return find_track(self._library, named)
        track = named.track if isinstance(named, NearTrack) else named
        found = self._library.catalogue.tracks_with_ids([TrackId(track.track_id)])
        if not found:
            raise TrackNotFound("it is not in the library any more", subject=str(track), remedy="Look for another one")
        return found[TrackId(track.track_id)]

    def _pair(self, a: NamedTrack | Path, b: NamedTrack) -> "ExplainedPair":
        opened, track = self._published.opened(), self._soundtrack(b)
        if isinstance(a, Path):
            from mfcc_assets.pipeline.explain_file import explain_file
            from mfcc_assets.storage.blobs.plain_path import plain_path

            with plain_path(a) as path:
                return explain_file(self._library, opened, path, track)
        from mfcc_assets.pipeline.explain import explain_pair

        return explain_pair(self._library, opened.index, self._soundtrack(a), track)

    def _near(self, track: "Soundtrack", distance: float, nearness: "Nearness | None") -> NearTrack:
        closer_than = nearness.closer_than if nearness else None
        return NearTrack(self._track(track), float(distance), closer_than, str(nearness.word) if nearness else "")

    def _track(self, track: "Soundtrack") -> Track:
        from mfcc_assets.storage.blobs.port import SOUNDTRACKS

        return Track(
            track_id=track.track_id,
            title=track.display_title,
            artist=track.artist,
            album=track.album,
            seconds=track.seconds,
            path=self._library.blobs.path(SOUNDTRACKS, track.blob_name),
            recording_mbid=track.recording_mbid,
        )


def _at_least(least: int, count: int, what: str) -> int:
    if count < least:
        raise ValueError(f"the number of {what} must be at least {least}, not {count}")
    return count
