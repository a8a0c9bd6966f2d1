"""Pictures that the Dagster UI shows at once.

The UI shows Markdown of fewer than 1,000 letters where it stands, and longer Markdown only after a click. So a picture
is a file, and the Markdown names its address. Dagster's webserver serves any file beside the logs of a run under
`/logs`; where these files lie is private. A picture that is part of an event would be stored twice for each partition.
"""

import base64
import re
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from mfcc_assets.plots.figure import thumbnail

FOLDER = "pictures"

SHOWN_PIXELS = 420
"""Width of a picture in the table of metadata. A wider one is cut off on a usual screen. A click saves the whole."""

_NO_LETTERS = re.compile(r"[^a-z0-9]+")


def shown_pictures(
    instance: dg.DagsterInstance, run_id: str, pictures: Mapping[str, bytes]
) -> dict[str, dg.MarkdownMetadataValue]:
    """Store PNG pictures beside the logs of a run, and return metadata that shows them.

    Parameters
    ----------
    instance
        Dagster's instance. If it keeps logs elsewhere than in a folder, the metadata holds the pictures themselves.
    run_id
        Id of the run. Its pictures are deleted together with its logs.
    pictures
        The pictures, by their names in sentence case.
    """
    logs = instance.compute_log_manager
    if not isinstance(logs, LocalComputeLogManager):
        return {_key(name): _embedded(name, picture) for name, picture in pictures.items()}
    shown = {}
    for name, picture in pictures.items():
        file = _key(name).replace("_", "-")
        small, large = f"{file}-small", file
        for one, content in ((small, thumbnail(picture, SHOWN_PIXELS)), (large, picture)):
            path = Path(logs.get_captured_local_path([run_id, FOLDER, one], "png"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        folder = f"/logs/{run_id}/{FOLDER}"
        shown[_key(name)] = dg.MetadataValue.md(f"[![{name}]({folder}/{small}/png)]({folder}/{large}/png)")
    return shown


def _key(name: str) -> str:
    return _NO_LETTERS.sub("_", name.lower()).strip("_")


def _embedded(name: str, picture: bytes) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(f"![{name}](data:image/png;base64,{base64.b64encode(picture).decode()})")
