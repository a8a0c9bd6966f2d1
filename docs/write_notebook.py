"""Run the notebook in a library as `make demo` leaves it, and keep what its cells print: `python -m docs.write_notebook`."""

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from docs.samples import REPOSITORY, make_checkout, make_demo

NOTEBOOK = REPOSITORY / "docs" / "notebook.ipynb"

_CELL_SECONDS = 120


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
        resources={"metadata": {"path": str(NOTEBOOK.parent)}},
    )
    ran = client.execute(env=environment)
    ran.metadata["language_info"] = {"name": "python"}
    return ran


def printed(notebook: NotebookNode) -> list[str]:
    """Return what each cell of a notebook prints, and ``a picture`` for what it draws."""
    texts = []
    for cell in notebook.cells:
        outputs = cell.get("outputs", ())
        shown = [
            "a picture" if "data" in output and "image/png" in output.data else output.get("text", "")
            for output in outputs
        ]
        texts.append("\n".join(shown))
    return texts


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        checkout = make_checkout(Path(name))
        make_demo(checkout)
        nbformat.write(run_notebook(checkout / "mfcc_data"), NOTEBOOK)


if __name__ == "__main__":
    main()
