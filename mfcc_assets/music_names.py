"""What a file or folder is by its name: music that has to be tried, or one of the kinds that are no music."""

import re
from pathlib import PurePosixPath

HIDDEN = "hidden and system files"
UNFINISHED = "unfinished downloads"
COMPANIONS = "covers, playlists and texts"
NO_AUDIO = "files without audio"
GONE_SINCE_REPORT = "files that went after the inventory was written"
FOLDERS = "empty blobs that stand for folders"

_PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"}
_PLAYLISTS = {".cue", ".jspf", ".m3u", ".m3u8", ".pls", ".xspf"}
_TEXTS = {".csv", ".htm", ".html", ".json", ".log", ".lrc", ".md", ".nfo", ".pdf", ".txt", ".url", ".xml"}
_SYSTEM_FILES = {".db", ".ini", ".md5", ".sfv"}
_LINKS = {".desktop", ".lnk", ".nzb", ".torrent", ".webloc"}

COMPANION_SUFFIXES = frozenset(_PICTURES | _PLAYLISTS | _TEXTS | _SYSTEM_FILES | _LINKS)
"""Suffixes of files that accompany music. Every other file is tried, so no audio is silently left out."""

_AUDIO = """
    3gp aa3 aac ac3 aif aifc aiff alac amr ape asf au avi awb caf dff dsf dts dtshd eac3 ec3 flac flv m2a m4a
    m4b m4p m4r m4v mka mkv mov mp+ mp1 mp2 mp3 mp4 mpa mpc mpeg mpg mpga nist oga ogg ogm ogv oma opus qt ra
    rf64 rm shn snd spx tak thd tta voc vox w64 wav wave weba webm wma wmv wv
"""

AUDIO_SUFFIXES = frozenset(f".{name}" for name in _AUDIO.split())
"""Suffixes by which a file says that it holds audio. If it cannot be used, it becomes a reject that can be seen."""

_SYSTEM_FOLDER = re.compile(
    r"""
    # Network storage and recycle bins put a sign before what the folder is for.
    [@\#$~]+(appledesktop|database|deleted|downloads?|ea[ ]?dir|quarantine|recently-snapshots?
    |recycl(e|ed|er)([ .-]?bin)?|share(bin|snap)|snap(shots?)?|te?mp|thumbs?|transcode|trash([ .-]?(bin|box|can))?
    |versions?)
    # Windows
    |\$windows\.~\w\w|\$winreagent|config\.msi|found\.\d{3}|msocache|recycled|recycler|system[ ]volume[ ]information
    # macOS, and servers that share folders with it
    |__macosx|cleanup[ ]at[ ]startup|network[ ]trash[ ]folder|resource\.frk|temporary[ ]items
    |thefindbycontentfolder|thevolumesettingsfolder
    # Linux, Android, and servers of files
    |files_trashbin|files_versions|lost\+found|lost\.dir|trashbox
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Names of folders in which file systems, network storage and recycle bins keep their own files."""

_DOWNLOAD_FOLDER = re.compile(r".*\.\w{2,4}\.download|__admin__|_(unpack|failed)_.+", re.IGNORECASE | re.DOTALL)
"""Names of folders in which a browser or a news reader keeps a download until it is complete."""

_SYSTEM_STREAMS = ("@synoeastream", "@synoresource")
_UNFINISHED = re.compile(
    r"""(
    .+\.(part(-frag\d+|\.met)?|parts|\w*partial|\w*download(ing)?|dtapart|filepart|dlpart|syncpart  # browsers, FTP
    |crswap|temp\.[a-z\d]{2,4}                                                        # browsers, video downloaders
    |unconfirmed|unfinished|incomplete|inprogress|in_progress                      # download managers
    |aria2|ytdl|getright|lftp-pget-status|td(\.cfg)?|xltd(\.cfg)?
    |![a-z]{2,6}|(az|bc|eg|jc|ob|ut)!|antifrag|dctmp                                  # file sharing
    |te?mp-?\d*|tmp\.drive(up|down)load|synctmp|nextcloud|owncloud|sb-[\da-f]{8}-[a-z\d]+  # synchronisation
    |ba?k|old|orig|sw[op]|\w+~)                                                    # backups of editors
    |(incomplete~|__incomplete__|t-\d{5,}-).+                                      # file sharing and news readers
    |~\$.+                                                                         # files open in an office program
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""Names of files that are not complete yet, or are only a copy that a program made for itself."""


def kind_of_name(name: str) -> str | None:
    """Return the kind of a file that is no music by its name, or None if the file has to be tried.

    Parameters
    ----------
    name
        Path of the file below the folder in which music is looked for, with ``/`` between its parts.

    Examples
    --------
    >>> kind_of_name("album/.stversions/song.mp3"), kind_of_name("song.mp3.part"), kind_of_name("cover.jpg")
    ('hidden and system files', 'unfinished downloads', 'covers, playlists and texts')
    >>> kind_of_name("...And Justice for All/01.part two.mp3") is None
    True
    """
    *folders, file = name.split("/")
    for folder in folders:
        if is_system_folder(folder):
            return HIDDEN
        if _DOWNLOAD_FOLDER.fullmatch(folder):
            return UNFINISHED
    # A title may begin with three dots.
    if (file.startswith(".") and not file.startswith("..")) or file.casefold().endswith(_SYSTEM_STREAMS):
        return HIDDEN
    if _UNFINISHED.fullmatch(file):
        return UNFINISHED
    if _suffix(file) in COMPANION_SUFFIXES:
        return COMPANIONS
    return FOLDERS if file.endswith("$folder$") else None


def is_system_folder(folder: str) -> bool:
    """Return True if the name of a folder is hidden, or is one that only a system gives.

    Examples
    --------
    >>> is_system_folder(".Trash-1000"), is_system_folder("@eaDir"), is_system_folder(".38 Special")
    (True, True, False)
    """
    # Names of bands and albums begin with a dot and a digit, or with several dots.
    hidden = re.match(r"\.(?![.\d])", folder) is not None
    return hidden or _SYSTEM_FOLDER.fullmatch(folder) is not None


def unmistakable(name: str) -> str:
    """Return a blob name as it is, or changed a little so that `kind_of_name` does not skip it.

    This is for files and folders that their owner named explicitly.

    Examples
    --------
    >>> unmistakable("#recycle/song.mp3"), unmistakable("song.part")
    ('#recycle_/song.mp3', 'song.part_')
    """
    *folders, file = name.split("/")
    kept = [_changed(folder) if kind_of_name(f"{folder}/song") else folder for folder in folders]
    return "/".join([*kept, _changed(file, "") if kind_of_name(file) else file])


def _changed(segment: str, file: str = "/song") -> str:
    candidates = (f"{segment}_", f"_{segment}", f"_{segment}_")
    return next(other for other in candidates if not kind_of_name(f"{other}{file}"))


def has_audio_suffix(name: str) -> bool:
    """Return True if a file says by its suffix that it holds audio.

    Examples
    --------
    >>> has_audio_suffix("album/song.MP3"), has_audio_suffix("README")
    (True, False)
    """
    return _suffix(name) in AUDIO_SUFFIXES


def is_companion(blob_name: str) -> bool:
    """Return True if a file only accompanies music, such as a cover, a playlist or a hidden file.

    Examples
    --------
    >>> is_companion("album/cover.jpg"), is_companion("album/song.mp3")
    (True, False)
    """
    name = blob_name.rpartition("/")[2]
    return kind_of_name(name) == HIDDEN or _suffix(name) in COMPANION_SUFFIXES


def _suffix(name: str) -> str:
    return PurePosixPath(name.rstrip(" .")).suffix.lower()
