"""Find the music files below folders of this machine."""

from collections.abc import Collection, Sequence
from pathlib import Path

from mfcc_assets.pipeline.music_files import is_worth_trying
from mfcc_assets.storage.blobs.found_files import FoundFiles, find_files


def find_music(paths: Sequence[Path], *, without: Collection[Path] = ()) -> FoundFiles:
    """Find the files that are tried as music among files and below folders.

    `mfcc_assets.storage.blobs.found_files.find_files` says how folders and links are followed, and `is_worth_trying`
    says which files are tried.

    Parameters
    ----------
    paths
        Files and folders that the user named.
    without
        Folders that are not entered unless they are named: those of the library itself.
    """
    return find_files(paths, without=without, is_music=is_worth_trying)
