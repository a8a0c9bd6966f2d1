"""`make demo`: Dagster materialises the starter library, and its sensor answers an upload without tags."""

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from importlib.resources import as_file, files
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from mfcc_assets.cli.console import labelled_line, open_console, settings_sentences
from mfcc_assets.cli.library_run import bring_up_to_date
from mfcc_assets.cli.recommend import recommendations_table
from mfcc_assets.defs.launch import command_line_lock, daemon_log, running_daemon
from mfcc_assets.errors import MfccError, RunFailed
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.pipeline.answering_run import document_of
from mfcc_assets.pipeline.nearness import with_nearness
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.pipeline.upload_document import State, UploadDocument
from mfcc_assets.pipeline.upload_register import register_of
from mfcc_assets.signals import ended_by_signals
from mfcc_assets.storage.blobs.port import SOUNDTRACKS, UPLOADS

UPLOAD = "a-new-journey.mp3"
ANSWER_SECONDS = 120
_POLL_SECONDS = 0.2


def main() -> None:
    console = open_console(width=110)
    started = time.monotonic()
    try:
        with (
            ended_by_signals(),
            as_file(files("mfcc_assets").joinpath("demo")) as starter,
            Library() as library,
        ):
            _add_starter_library(library, starter / "library", console)
            document = _answered_upload(library, starter / "uploads" / UPLOAD, console)
            _show_answer(library, document, console)
            _show_addresses(library, console)
    except (MfccError, ValidationError) as error:
        told = settings_sentences(error) if isinstance(error, ValidationError) else str(error)
        console.print(told, style="red")
        sys.exit(1)
    console.print(f"\nDone in {time.monotonic() - started:.0f} s.")


def _add_starter_library(library: Library, folder: Path, console: Console) -> None:
    tracks = sorted(folder.iterdir())
    with command_line_lock(library.settings):
        for path in tracks:
            if not library.blobs.exists(SOUNDTRACKS, path.name):
                library.blobs.upload_file(SOUNDTRACKS, path.name, path)
        console.print(
            labelled_line(
                "Library    ", f"{len(tracks)} excerpts of real music lie in the container soundtracks.", "bold"
            )
        )
        if outstanding_work(library):
            bring_up_to_date(library, console, "make demo")
            console.print("            A Dagster run has analysed, indexed and ranked them.")
        else:
            console.print("            Nothing has changed since the last run: nothing was recomputed.")


def _answered_upload(library: Library, path: Path, console: Console) -> UploadDocument:
    if not library.blobs.exists(UPLOADS, UPLOAD):
        library.blobs.upload_file(UPLOADS, UPLOAD, path)
    console.print(
        labelled_line("Upload     ", f"{UPLOAD}, an excerpt without tags, lies in the container uploads.", "bold")
    )
    document = document_of(library.documents, _upload_id(library))
    if document is not None and document.state is State.RANKED:
        console.print("            It was answered before: nothing was recomputed.")
        return document
    with running_daemon(library.settings), console.status("Waiting for the sensor to find it") as status:
        for document in _documents_until_answered(library):
            status.update(f"Its state is {document.state}")
    assert document is not None
    console.print("            The sensor found it, and a Dagster run answered it.")
    return document


def _documents_until_answered(library: Library) -> Iterator[UploadDocument]:
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        document = document_of(library.documents, _upload_id(library))
        if document is not None:
            yield document
            if document.failure:
                raise RunFailed(document.failure.reason, subject=UPLOAD)
            if document.state is State.RANKED:
                return
        time.sleep(_POLL_SECONDS)
    log = daemon_log(library.settings)
    raise RunFailed(f"no answer within {ANSWER_SECONDS} s", subject=UPLOAD, remedy=f"Read {log}, or run `make dev`")


def _upload_id(library: Library) -> UploadId:
    return register_of(library).upload_of(library.blobs.stat(UPLOADS, UPLOAD))


def _show_answer(library: Library, document: UploadDocument, console: Console) -> None:
    recognised = document.recognised
    if recognised:
        known_as = f"{recognised.title} by {recognised.artist} (recogniser: {recognised.by})"
        console.print(labelled_line("Recognised ", known_as, "bold"))
    else:
        console.print(labelled_line("Recognised ", "no recogniser knows it", "bold"))
    rows = library.recommendations.recommended(_upload_id(library))
    console.print(labelled_line("Recommended", f"from index {document.index_version}:", "bold"))
    records = with_nearness(library, [asdict(row) for row in rows], document.index_version or "")
    console.print(recommendations_table(records, [row.title for row in rows], console))


def _show_addresses(library: Library, console: Console) -> None:
    settings = library.settings
    addresses = {
        "Database": library.database.name,
        "Parquet": f"{settings.blobs_address}/cepstra",
        "Documents": settings.documents_address,
        "Rows": "the view RECOMMENDED_SOUNDTRACKS of the database, for the upload and for every soundtrack",
    }
    if settings.profile == "local":
        addresses |= {
            "Dagster UI": "make dev, then http://127.0.0.1:3000",
            "Your music": ".venv/bin/mfcc add FOLDER, then .venv/bin/mfcc recommend FILE",
            "Pages": f"make web, then http://127.0.0.1:{settings.web_port}",
        }
    for name, address in addresses.items():
        console.print(labelled_line(f"{name:11}", address, "bold"), soft_wrap=True)


if __name__ == "__main__":
    main()
