"""Manifests: CSV files that list the tracks of a labelled set."""

import csv
from dataclasses import dataclass
from pathlib import Path

from mfcc_assets.errors import UnusableManifest

_COLUMNS = ("path", "artist", "source", "work")
_REQUIRED_COLUMNS = {"path", "artist", "source"}


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
    """

    path: str
    artist: str = ""
    source: str = ""
    work: str = ""

    @property
    def label(self) -> str:
        """The artist, or the source if no artist is named. Tracks with the same label should recommend each other."""
        return self.artist or self.source


def read_manifest(file: Path) -> list[LabelledTrack]:
    """Read a CSV with the columns path, artist, source and, optionally, work.

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
    return [track for track in tracks.values() if track.path]


def _unusable(file: Path, what: str) -> UnusableManifest:
    return UnusableManifest(
        what,
        subject=str(file),
        remedy="Supply a CSV in UTF-8 with the columns path, artist, source and, if known, work",
    )
