"""The description of the addresses for programs, with ids that there are, which no chance would find."""

from collections.abc import Sequence
from typing import Any

UNKNOWN_TRACK, UNKNOWN_UPLOAD, UNKNOWN_VERSION = "0123456789abcdef", "01234567" * 4, "0123456789ab"


def with_real_names(described: Any, tracks: Sequence[str], version: str, upload: str) -> Any:
    """Return a description by which requests name tracks, a version and an upload that there are, and unknown ones."""
    some_track = [*tracks, UNKNOWN_TRACK]
    known = {"track_id": some_track, "other_id": some_track, "from": some_track, "to": some_track}
    some_version = [version, version[:6], UNKNOWN_VERSION]
    known |= {"first": some_version, "second": some_version, "version": some_version}
    known |= {"upload_id": [upload, UNKNOWN_UPLOAD]}
    for methods in described["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in known:
                    parameter["schema"]["enum"] = known[parameter["name"]]
                    parameter["example"] = known[parameter["name"]][0]
                elif parameter["name"] == "seed":
                    parameter["schema"]["items"]["enum"] = some_track
                    parameter["example"] = list(tracks)
    return described
