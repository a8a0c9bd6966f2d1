"""Run the notebook in a library as `make demo` leaves it, and keep its outputs: `python -m docs.write_notebook`."""

import base64
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

from docs.samples import REPOSITORY, make_checkout, make_demo

NOTEBOOK = REPOSITORY / "docs" / "notebook.ipynb"

_CELL_SECONDS = 120
_COLOURS = 64


def run_notebook(home: Path) -> NotebookNode:
    """Return the notebook as its cells print and draw now.

    Parameters
    ----------
    home
        Home of a library as `make demo` leaves it. The notebook only reads it.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises an error.
    """
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    environment = {**os.environ, "MFCC_HOME": str(home), "PYTHONPATH": str(REPOSITORY)}
    client = NotebookClient(
        notebook,
        timeout=_CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(NOTEBOOK.parent)}},
    )
    ran = client.execute(env=environment)
    ran.metadata["language_info"] = {"name": "python"}
    for picture in _pictures(ran):
        picture["image/png"] = _in_few_colours(picture["image/png"])
    return ran


def printed(notebook: NotebookNode) -> list[str]:
    """Return what each cell of a notebook prints, and ``a picture`` for what it draws."""
    return ["".join(map(_shown, cell.get("outputs", ()))) for cell in notebook.cells]


def _shown(output: NotebookNode) -> str:
    if output.get("name") == "stderr":  # warnings about folders that a machine does not have
        return ""
    return "a picture" if "image/png" in output.get("data", {}) else str(output.get("text", ""))


def _pictures(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the data of every picture that the cells have drawn."""
    for cell in notebook.cells:
        yield from (output.data for output in cell.get("outputs", ()) if "image/png" in output.get("data", {}))


def _in_few_colours(encoded: str) -> str:
    """Return a picture with a palette, so that the notebook is a third as large."""
    written = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        picture.convert("RGB").quantize(_COLOURS).save(written, "PNG", optimize=True)
    return base64.b64encode(written.getvalue()).decode()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        checkout = make_checkout(Path(name))
        make_demo(checkout)
        nbformat.write(run_notebook(checkout / "mfcc_data"), NOTEBOOK)


if __name__ == "__main__":
    main()
