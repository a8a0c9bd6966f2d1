"""Which track of the library its reader means."""

from collections.abc import Callable, Sequence

from mfcc_assets.errors import FeaturesMissing, TrackNotFound
from mfcc_assets.library import Library
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.sql.records import Soundtrack

_NAMED = 5
"""As many tracks are named to a reader who meant several."""


def find_track(library: Library, text: str) -> Soundtrack:
    """The soundtrack that a text names, letters large or small.

    Parameters
    ----------
    text
        Its track id, its blob's name, its title, or a part of either that no other track's has. The first of these
        that is any track's decides: a track titled "Story" is found beside a "Story of a Boy".

    Raises
    ------
    TrackNotFound
        No track is named so, or more than one.
    """
    wanted = text.strip().casefold()
    soundtracks = library.catalogue.soundtracks()
    for names_it in _WAYS:
        found = [track for track in soundtracks if wanted and names_it(track, wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            raise TrackNotFound(
                f"{len(found)} tracks are named so: {_names(found)}",
                subject=f"“{text}”",
                remedy="Give a longer part of the title or the file's name, or the track id",
            )
    raise TrackNotFound(
        "no track of the library has this id, title or file name, nor a part of one",
        subject=f"“{text}”",
        remedy="See what is there with `mfcc library`. A file from elsewhere has to be added first, with `mfcc add`",
    )


def audio_in_index(index: LibraryIndex, track: Soundtrack) -> str:
    """The id of a soundtrack's audio, which the index knows.

    Raises
    ------
    FeaturesMissing
        The track was rejected, waits for its turn, or came after the index was built.
    """
    if track.audio_id is None or track.audio_id not in index.tracks:
        raise FeaturesMissing(
            "its audio cannot be used" if track.is_rejected else "it was not indexed yet",
            subject=track.title or track.blob_name,
            remedy="`mfcc library` says why" if track.is_rejected else "Materialise the library",
        )
    return track.audio_id


_WAYS: Sequence[Callable[[Soundtrack, str], bool]] = (
    lambda track, wanted: track.track_id == wanted,
    lambda track, wanted: track.blob_name.casefold() == wanted,
    lambda track, wanted: track.title.casefold() == wanted,
    lambda track, wanted: wanted in track.title.casefold() or wanted in track.blob_name.casefold(),
)


def _names(tracks: Sequence[Soundtrack]) -> str:
    named = ", ".join(f"{track.title or track.blob_name} ({track.track_id})" for track in tracks[:_NAMED])
    return f"{named}, …" if len(tracks) > _NAMED else named
