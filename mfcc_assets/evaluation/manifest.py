"""Manifests: CSV files that list the tracks of a labelled set."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from mfcc_assets.credits import ArtistNames, Credits, named
from mfcc_assets.errors import UnusableManifest
from mfcc_assets.spellings import one_artist
from mfcc_assets.texts import folded

_COLUMNS = ("path", "artist", "source", "work", "album")
_REQUIRED_COLUMNS = {"path", "artist"}


@dataclass(frozen=True)
class LabelledTrack:
    """A row of a manifest.

    Attributes
    ----------
    path
        Path of the audio file, relative to the folder of the labelled set.
    artist
        Artist of the track, or an empty text.
    source
        Album, game or collection that the track is from, or an empty text.
    work
        Musical work that the track is a performance of, or an empty text.
    album
        Album that the track is from, or an empty text.
    """

    path: str
    artist: str = ""
    source: str = ""
    work: str = ""
    album: str = ""


def labels_of(tracks: Sequence[LabelledTrack]) -> dict[str, str]:
    """Return the label of each track by its path: its artist, or its source if no artist is named.

    Tracks with the same label should recommend each other. Artists are compared as `mfcc_assets.credits` and
    `mfcc_assets.spellings` say. A track with neither an artist nor a source has no label.

    Examples
    --------
    >>> tracks = [LabelledTrack("a", "Anna"), LabelledTrack("b", "ANNA feat. Bo"), LabelledTrack("c", "", "Game")]
    >>> labels_of(tracks)
    {'a': 'anna', 'b': 'anna', 'c': 'Game'}
    """
    credited = {track.path: Credits(track.artist) for track in tracks}
    names = ArtistNames(credited.values())
    artists = {path: name for path, credit in credited.items() if (name := names.main(credit))}
    one = one_artist(artists.values())
    labels = {
        track.path: one[artists[track.path]] if track.path in artists else named(track.source) for track in tracks
    }
    return {path: label for path, label in labels.items() if label}


def albums_of(tracks: Sequence[LabelledTrack]) -> dict[str, str]:
    """Return the album of each track by its path: the one that is named, or else the folder of the file.

    Examples
    --------
    >>> albums_of([LabelledTrack("a/1.ogg", album="Suites"), LabelledTrack("b/1.ogg")])
    {'a/1.ogg': 'suites', 'b/1.ogg': 'b'}
    """
    return {track.path: folded(named(track.album)) or str(PurePath(track.path).parent) for track in tracks}


def sources_of(tracks: Sequence[LabelledTrack]) -> dict[str, str]:
    """Return the source of each track that has one, by its path."""
    return {track.path: source for track in tracks if (source := named(track.source))}


def read_manifest(file: Path) -> list[LabelledTrack]:
    """Read a CSV with the columns path, artist and, optionally, source, work and album.

    Only the first of several rows with the same path is used. Rows without a path are skipped.

    Raises
    ------
    UnusableManifest
        If the file is not a CSV in UTF-8 with these columns.
    OSError
        If the file cannot be opened.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines)
            missing = _REQUIRED_COLUMNS.difference(rows.fieldnames or ())
            tracks: dict[str, LabelledTrack] = {}
            for row in rows:
                track = LabelledTrack(*((row.get(column) or "").strip() for column in _COLUMNS))
                tracks.setdefault(track.path, track)
    except (csv.Error, UnicodeDecodeError) as error:
        raise _unusable(file, f"it cannot be read ({error})") from error
    if missing:
        raise _unusable(file, f"it has no column {', '.join(sorted(missing))}")
    listed = [track for track in tracks.values() if track.path]
    if not listed:
        raise _unusable(file, "it lists no track")
    if any("\0" in track.path for track in listed):
        raise _unusable(file, "a path in it contains a NUL character")
    return listed


def _unusable(file: Path, what: str) -> UnusableManifest:
    return UnusableManifest(
        what,
        subject=str(file),
        remedy="Supply a CSV in UTF-8 with the columns path, artist and, if known, source, work and album",
    )
