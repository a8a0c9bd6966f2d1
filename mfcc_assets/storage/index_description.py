"""The description of a version of the index: index.json and changes.npz."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.errors import IndexOfOtherProgram
from mfcc_assets.ids import AudioId, TrackId
from mfcc_assets.search.id_arrays import IdArray, TrackOfAudio
from mfcc_assets.search.index import IndexParameters, LibraryIndex
from mfcc_assets.similarity.rankings import RANKING_REVISION
from mfcc_assets.storage.index_parts import parameters_of_record, parameters_record
from mfcc_assets.storage.packed_arrays import packed, unpacked
from mfcc_assets.storage.part_folder import PartFolder, corrupt_index

CHANGES_PART = "changes.npz"

_REBUILD_FOR_THIS_PROGRAM = "The next run over the library builds another one: `mfcc sync` starts one"


@dataclass(frozen=True, eq=False)
class IndexDescription:
    """Everything that a version of the index has besides its segments and its calibration.

    Attributes
    ----------
    parameters
        Parameters of the index.
    calibrated_tracks
        Number of tracks in the library when the calibration was made.
    calibrated_as
        Digest of the calibration.
    segments
        Names of the segments.
    left_out
        Audio ids of the segments that the version does not have.
    changed
        Audio ids of the version that another track represents than in their segments.
    changed_to
        Track id of each of these.
    """

    parameters: IndexParameters
    calibrated_tracks: int
    calibrated_as: str
    segments: Sequence[str]
    left_out: NDArray[np.bytes_]
    changed: NDArray[np.bytes_]
    changed_to: NDArray[np.bytes_]

    @classmethod
    def of(cls, index: LibraryIndex) -> Self:
        """Describe an index."""
        ids = np.concatenate([segment.tracks.audio_ids.array for segment in index.segments])
        tracks = np.concatenate([segment.tracks.track_ids.array for segment in index.segments])
        of_rows = index.places.of_rows
        left_out = np.delete(ids, of_rows)
        is_changed = tracks[of_rows] != index.tracks.track_ids.array
        return cls(
            index.parameters,
            index.calibrated_tracks,
            index.calibrated_as,
            [segment.name for segment in index.segments],
            left_out,
            index.tracks.audio_ids.array[is_changed],
            index.tracks.track_ids.array[is_changed],
        )

    def tracks(self, of_segments: Sequence[TrackOfAudio]) -> TrackOfAudio:
        """Return the tracks of the version, given those of its segments."""
        ids = np.concatenate([tracks.audio_ids.array for tracks in of_segments])
        track_ids = np.concatenate([tracks.track_ids.array for tracks in of_segments])
        # Each segment is sorted, which this kind of sort makes use of.
        order = np.argsort(ids, kind="stable")
        order = order[~np.isin(ids[order], self.left_out)] if len(self.left_out) else order
        ids, track_ids = ids[order], track_ids[order]
        if len(self.changed):
            track_ids = track_ids.astype(np.result_type(track_ids, self.changed_to))
            track_ids[np.searchsorted(ids, self.changed)] = self.changed_to
        # The digest that is the version covers the widths of the arrays, and a longer id may have left.
        return TrackOfAudio(IdArray[AudioId](ids).narrowed(), IdArray[TrackId](track_ids).narrowed())

    def write(self, folder: PartFolder, tracks: int) -> None:
        """Write the description of a version with a number of tracks."""

        def write_changes(file: BinaryIO) -> None:
            file.write(packed({"left_out": self.left_out, "changed": self.changed, "changed_to": self.changed_to}))

        record = {
            "parameters": parameters_record(self.parameters),
            "features_version": self.parameters.features.version,
            "ranking_revision": RANKING_REVISION,
            "tracks": tracks,
            "calibrated_tracks": self.calibrated_tracks,
            "calibrated_as": self.calibrated_as,
            "created_at": datetime.now(UTC).isoformat(),
            "segments": list(self.segments),
        }
        folder.write({CHANGES_PART: write_changes}, record)

    @classmethod
    def read(cls, folder: PartFolder) -> Self:
        """Read the description of a version.

        Raises
        ------
        BlobNotFound
            If there is no such version.
        IndexOfOtherProgram
            If another version of this program made the index.
        CorruptIndex
            If the description is damaged.
        """
        unusable = corrupt_index(folder.subject, "index.json does not describe it")
        record, _ = folder.record([])
        try:
            parameters = parameters_of_record(record["parameters"])
            made_by = record["features_version"], record.get("ranking_revision")
            if made_by != (parameters.features.version, RANKING_REVISION) or "segments" not in record:
                # Its distances would be compared with others that are computed in another way, or it has no segments.
                what = "another version of this program made the stored index"
                raise IndexOfOtherProgram(what, subject=folder.subject, remedy=_REBUILD_FOR_THIS_PROGRAM)
            _, parts = folder.record([CHANGES_PART])
            with folder.verified(CHANGES_PART, parts[CHANGES_PART]) as path:
                changes = unpacked(path.read_bytes())
            return cls(
                parameters,
                int(record["calibrated_tracks"]),
                _text(record["calibrated_as"]),
                list(_names(record["segments"])),
                changes["left_out"],
                changes["changed"],
                changes["changed_to"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise unusable from error


def in_use(folder: PartFolder) -> tuple[list[str], str]:
    """Return the names of the segments of a version, and of its calibration.

    A version that another version of this program made also has them, unless the program knew no segments.

    Raises
    ------
    BlobNotFound
        If there is no such version.
    CorruptIndex
        If the description is damaged.
    """
    record, _ = folder.record([])
    try:
        segments = list(_names(record["segments"])) if "segments" in record else []
        return segments, _text(record["calibrated_as"])
    except (KeyError, TypeError) as error:
        raise corrupt_index(folder.subject, "index.json does not describe it") from error


def _names(record: Any) -> Iterator[str]:
    if not isinstance(record, list) or not record:
        raise TypeError("an index has at least one segment")
    yield from map(_text, record)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, not {value!r}")
    return value
