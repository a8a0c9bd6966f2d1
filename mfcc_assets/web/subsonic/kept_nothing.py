"""Calls for what this server does not keep: playlists, stars, ratings, play queues, lyrics, podcasts.

Players ask for some of these on every page that they show, and a failure keeps them from showing it. So what is asked
for is empty, and what should be changed is refused.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from mfcc_assets.web.subsonic.answers import Content, protocol_time
from mfcc_assets.web.subsonic.asked import needed
from mfcc_assets.web.subsonic.caller import caller
from mfcc_assets.web.subsonic.failures import CallFailed, Code

_EMPTY: Mapping[str, Content] = {
    "getAlbumInfo": {"albumInfo": {}},
    "getAlbumInfo2": {"albumInfo": {}},
    "getArtistInfo": {"artistInfo": {}},
    "getArtistInfo2": {"artistInfo2": {}},
    "getBookmarks": {"bookmarks": {"bookmark": []}},
    "getChatMessages": {"chatMessages": {"chatMessage": []}},
    "getInternetRadioStations": {"internetRadioStations": {"internetRadioStation": []}},
    "getLyrics": {"lyrics": {"value": ""}},
    "getLyricsBySongId": {"lyricsList": {"structuredLyrics": []}},
    "getNewestPodcasts": {"newestPodcasts": {"episode": []}},
    "getNowPlaying": {"nowPlaying": {"entry": []}},
    "getPlaylists": {"playlists": {"playlist": []}},
    "getPodcasts": {"podcasts": {"channel": []}},
    "getShares": {"shares": {"share": []}},
    "getStarred": {"starred": {"artist": [], "album": [], "song": []}},
    "getStarred2": {"starred2": {"artist": [], "album": [], "song": []}},
    "getTopSongs": {"topSongs": {"song": []}},
    "getVideos": {"videos": {}},
    # Players send these while they play, and tell their listener of a failure each time.
    "savePlayQueue": {},
    "scrobble": {},
}
"""Answers without anything in them."""

_NEEDED = {
    "getAlbumInfo": "id",
    "getAlbumInfo2": "id",
    "getArtistInfo": "id",
    "getArtistInfo2": "id",
    "getLyricsBySongId": "id",
    "scrobble": "id",
}
"""Parameters without which an answer would say nothing."""

_MISSING = ("getAvatar", "getCaptions", "getPlaylist", "getVideoInfo", "hls.m3u8")

_REFUSED = (
    "addChatMessage", "changePassword", "createBookmark", "createInternetRadioStation", "createPlaylist",
    "createPodcastChannel", "createShare", "createUser", "deleteBookmark", "deleteInternetRadioStation",
    "deletePlaylist", "deletePodcastChannel", "deletePodcastEpisode", "deleteShare", "deleteUser",
    "downloadPodcastEpisode", "getUsers", "jukeboxControl", "refreshPodcasts", "setRating", "star", "startScan",
    "unstar", "updateInternetRadioStation", "updatePlaylist", "updateShare", "updateUser",
)  # fmt: skip


def _nothing(method: str) -> Content:
    if method in _NEEDED:
        needed(_NEEDED[method])
    return _EMPTY[method]


def _play_queue() -> Content:
    # The protocol wants to know since when and by whom nothing is played.
    never = protocol_time(datetime.fromtimestamp(0, UTC))
    return {"playQueue": {"username": caller().name, "changed": never, "changedBy": "", "entry": []}}


def _find_nothing() -> Content:
    raise CallFailed(Code.NOT_FOUND, "This server keeps nothing of this kind.")


def _refuse() -> Content:
    raise CallFailed(Code.NOT_AUTHORIZED, "Players can listen here, and change nothing.")


CALLS: Mapping[str, Callable[[], Content]] = {
    **{method: partial(_nothing, method) for method in _EMPTY},
    "getPlayQueue": _play_queue,
    **dict.fromkeys(_MISSING, _find_nothing),
    **dict.fromkeys(_REFUSED, _refuse),
}
"""What each call does, by its name."""
