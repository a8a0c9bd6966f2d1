"""Hooks of the documentation site. They add pages outside docs/ to the site, and adapt the links to them.

The pages link to each other as files of the repository, so the links also work in the repository. On the site,
README.md is the first page, and the folder docs/ is the root.
"""

import os
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).parents[1]
_LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)#\s]+)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add README.md, and every file outside docs/ that a page links to, even if that page is outside docs/ too."""
    waiting = ["README.md", *(f"docs/{file.src_uri}" for file in files.documentation_pages())]
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        if _address(path) not in files.src_uris:
            files.append(File.generated(config, _address(path), abs_src_path=str(REPOSITORY / path)))
        if path.endswith(".md"):
            linked = {_target(path, link) for link in _LINK.findall((REPOSITORY / path).read_text())}
            new = {target for target in linked - seen if (REPOSITORY / target).is_file()}
            waiting += sorted(new)
            seen |= new
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Adapt the links of a page to the places of the files on the site."""
    path = Path(page.file.abs_src_path or "").relative_to(REPOSITORY).as_posix()
    folder = PurePosixPath(page.file.src_uri).parent

    def adapted(link: re.Match[str]) -> str:
        return PurePosixPath(os.path.relpath(_address(_target(path, link[0])), folder)).as_posix()

    return _LINK.sub(adapted, markdown)


def _target(path: str, link: str) -> str:
    """Return the path in the repository that a link on the page at `path` leads to."""
    return os.path.normpath(PurePosixPath(path).parent / link)


def _address(path: str) -> str:
    """Return the path on the site of a file of the repository."""
    return "index.md" if path == "README.md" else path.removeprefix("docs/")
