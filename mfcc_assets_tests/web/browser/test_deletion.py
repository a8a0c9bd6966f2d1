"""A listener deletes an upload on its page: nothing of it is left in any store."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.port import CONTAINERS
from mfcc_assets.storage.sql.schema import METADATA
from mfcc_assets_tests.services.browser import Troubles, fresh_page
from mfcc_assets_tests.web.browser.conftest import STARTER
from mfcc_assets_tests.web.browser.front import Front, send, wait_until_recorded
from mfcc_assets_tests.web.uploads.waiting import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAME = "a name like no other.mp3"


def _traces(library: Library, texts: list[str]) -> list[str]:
    """Look into every file, row, document and blob for some texts, but not into what Dagster keeps."""
    found = []
    for file in library.settings.home.rglob("*"):
        content = file.read_bytes() if file.is_file() and not _is_of_dagster(library, file) else b""
        found += [f"file {file}: {text}" for text in texts if text.encode() in bytes(file) + content]
    with library.database.reading() as connection:
        for table in METADATA.sorted_tables:
            rows = repr(connection.execute(sa.select(table)).all())
            found += [f"table {table.name}: {text}" for text in texts if text in rows]
    for document in library.documents.find():
        found += [f"document {document.id}: {text}" for text in texts if text in f"{document.id} {document.body}"]
    for container in CONTAINERS:
        names = " ".join(blob.name for blob in library.blobs.list(container))
        found += [f"container {container}: {text}" for text in texts if text in names]
    return found


def _is_of_dagster(library: Library, file: Path) -> bool:
    return file.is_relative_to(library.settings.dagster_home)


def _of_dagster(library: Library) -> dict[Path, str]:
    """Return what Dagster keeps: each file as text, and the rows of each database."""
    found = {}
    for file in filter(Path.is_file, library.settings.dagster_home.rglob("*")):
        if file.suffix == ".db":
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
                found[file] = "\n".join(connection.iterdump())
        else:
            found[file] = file.read_bytes().decode(errors="replace")
    return found


def test_nothing_of_a_deleted_upload_is_left_in_any_store(
    browser: "Browser", front: Front, front_home: Path, troubles: Troubles, tmp_path: Path
) -> None:
    file = tmp_path / NAME
    # Other bytes than those of the same track that another test sends.
    file.write_bytes((STARTER / "uploads" / "caribbean.mp3").read_bytes()[:150_000])
    with Library(Settings(home=front_home)) as library, fresh_page(browser, front.address, troubles) as page:
        path = send(page, str(file))
        wait_until_recorded(page)
        page.goto(page.locator("a[href*='/why/']").first.get_attribute("href") or "")
        page.locator("img.picture").scroll_into_view_if_needed()
        page.goto(path)
        page.locator("details.pictures > summary").click()
        page.wait_for_load_state("networkidle")
        page.get_by_role("button", name="Make a link to the answer").click()
        page.locator("input.link").wait_for()
        upload = UploadId(path.rpartition("/")[2])
        body = library.documents.get(upload).body
        texts = [upload, NAME, body["audio_id"], body["content"]]
        for text in texts:
            assert _traces(library, [text]), "the search finds what is there"

        page.locator(".deleting > summary").click()
        page.get_by_role("button", name="Delete it for good").click()
        page.get_by_text("The upload was deleted, with everything that was computed from it.").wait_for()

        assert page.locator(".recent li").count() == 0
        assert wait_for(lambda: not _traces(library, texts)), _traces(library, texts)
        # The history of runs keeps the id and the name of the file for as long as it keeps the runs.
        kept = _of_dagster(library)
        assert [f"{file}: {text}" for file, content in kept.items() for text in texts[2:] if text in content] == []
        troubles.expect("404")
        for part in ("", "/state", "/audio", "/waveform", "/answer", "/pictures/waveform.png"):
            assert page.request.get(f"{path}{part}").status == 404
