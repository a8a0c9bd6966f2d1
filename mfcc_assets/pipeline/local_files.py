"""Find the music files below folders of this machine."""

from collections.abc import Collection, Sequence
from pathlib import Path

from mfcc_assets.audio.signature import Impression, first_impression
from mfcc_assets.music_names import has_audio_suffix
from mfcc_assets.pipeline.music_files import is_worth_trying
from mfcc_assets.storage.blobs.found_files import FoundFiles, find_files

_FIRST_BYTES = 16_384
"""Enough to tell a text from samples. Every file of a large folder is opened for them."""

_TELLING_BYTES = 64
"""Fewer bytes may be what is left of a damaged file."""


def find_music(paths: Sequence[Path], *, without: Collection[Path] = ()) -> FoundFiles:
    """Find the files that are tried as music among files and below folders.

    `mfcc_assets.storage.blobs.found_files.find_files` says how folders and links are followed. A file whose name does
    not tell what it is is tried if its content is audio. One with the suffix of an audio file is tried unless its first
    bytes are those of something else, such as a text or a picture. So a damaged one is tried.

    Parameters
    ----------
    paths
        Files and folders that the user named.
    without
        Folders that are not entered unless they are named: those of the library itself.
    """
    return find_files(paths, without=without, is_music=_is_music)


def _is_music(path: Path, name: str) -> bool:
    if not has_audio_suffix(name):
        return is_worth_trying(path, name)
    with path.open("rb") as file:
        head = file.read(_FIRST_BYTES)
    return len(head) < _TELLING_BYTES or first_impression(head)[0] is not Impression.OTHER
