"""Find the track of the library that a reader names."""

from collections.abc import Callable, Sequence

from mfcc_assets.errors import FeaturesMissing, TrackNotFound
from mfcc_assets.ids import AudioId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.lost_tables import check_tables
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.sql.records import Soundtrack
from mfcc_assets.texts import folded

_MAXIMUM_NAMED = 5
"""Maximum number of tracks that the message about an ambiguous name lists."""


def find_track(library: Library, text: str) -> Soundtrack:
    """Return the soundtrack that a text names. Case, width and Unicode form do not matter.

    The text may be a track id, the name of a blob, a title, or a part of a name or title that no other track shares.
    These are tried in this order, and the first one that matches any track decides. The text "Story" therefore finds
    the track "Story" although there is also a "Story of a Boy".

    Parameters
    ----------
    library
        The library to look in.
    text
        Text that names a track.

    Raises
    ------
    TrackNotFound
        If the text names no track, or more than one.
    LostTables
        If the database does not know the tracks of the published index.
    """
    wanted = folded(text)
    soundtracks = library.catalogue.soundtracks()
    for matches in _WAYS:
        found = [track for track in soundtracks if wanted and matches(track, wanted)]
        if len(found) == 1:
            return found[0]
        if found:
            raise TrackNotFound(
                f"{len(found)} tracks match: {_names(found)}",
                subject=f"“{text}”",
                remedy="Give a longer part of the title or the file's name, or the track id",
            )
    check_tables(library)
    raise TrackNotFound(
        "no track of the library has this id, title or file name, or a title or file name that contains it",
        subject=f"“{text}”",
        remedy="`mfcc library` lists all tracks. Add a file from elsewhere first, with `mfcc add`",
    )


def audio_in_index(index: LibraryIndex, track: Soundtrack) -> AudioId:
    """Return the audio id of a soundtrack that is in the index.

    Raises
    ------
    FeaturesMissing
        If the track was rejected, has not been analysed yet, or was added after the index was built.
    """
    if track.audio_id is None or track.audio_id not in index.tracks:
        raise FeaturesMissing(
            "its audio cannot be used" if track.is_rejected else "it is not in the index yet",
            subject=track.display_title,
            remedy="`mfcc library` says why" if track.is_rejected else "Materialise the library",
        )
    return track.audio_id


_WAYS: Sequence[Callable[[Soundtrack, str], bool]] = (
    lambda track, wanted: track.track_id == wanted,
    lambda track, wanted: folded(track.blob_name) == wanted,
    lambda track, wanted: folded(track.title) == wanted,
    lambda track, wanted: wanted in folded(track.title) or wanted in folded(track.blob_name),
)
"""Ways in which a text can name a track, in the order in which they are tried."""


def _names(tracks: Sequence[Soundtrack]) -> str:
    named = ", ".join(f"{track.display_title} ({track.track_id})" for track in tracks[:_MAXIMUM_NAMED])
    return f"{named}, …" if len(tracks) > _MAXIMUM_NAMED else named
