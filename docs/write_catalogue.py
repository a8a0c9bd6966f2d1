"""Bring the catalogues of the pages' texts up to date with the code: `python -m docs.write_catalogue`.

New texts get an empty translation, which a person fills in. Texts that the code no longer has are removed.
"""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import mfcc_assets.web
from mfcc_assets.audio.signature import CONTENT_NAMES
from mfcc_assets.web.i18n import LANGUAGES

WEB = Path(mfcc_assets.web.__file__).parent
CATALOGUES = WEB / "translations"
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext.babel_extract")]
_OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
_SENTENCES = {"Sentence": None}


def texts_of_the_code() -> Catalog:
    """Return the texts that the code and the templates translate, in alphabetic order."""
    catalogue = Catalog(project="mfcc-assets", charset="utf-8")
    of_pages = extract_from_dir(WEB, _METHODS, _OPTIONS, keywords=_KEYWORDS)
    of_core = extract_from_dir(WEB.parent, [("**.py", "python")], keywords=_SENTENCES)
    for _file, _line, text, _comments, _context in (*of_pages, *of_core):
        catalogue.add(text)
    # The pages translate these too, but the code has no call for each of them.
    for text in CONTENT_NAMES:
        catalogue.add(text)
    return catalogue


def updated(code: str) -> Catalog:
    """Return the catalogue of a language with exactly the texts of the code."""
    path = CATALOGUES / f"{code}.po"
    catalogue = Catalog(locale=code, project="mfcc-assets", charset="utf-8")
    former = read_po(BytesIO(path.read_bytes()), locale=code) if path.exists() else Catalog(locale=code)
    for message in texts_of_the_code():
        if message.id:
            known = former.get(message.id if isinstance(message.id, str) else message.id[0])
            catalogue.add(message.id, known.string if known else None)
    return catalogue


def written(code: str) -> bytes:
    """Return the file of a language's catalogue as it should be."""
    file = BytesIO()
    file.write(f"# The texts of the pages in {LANGUAGES[code]}.\n\n".encode())
    write_po(file, updated(code), sort_output=True, omit_header=True, width=120, no_location=True)
    return file.getvalue()


def main() -> None:
    CATALOGUES.mkdir(exist_ok=True)
    for code in LANGUAGES:
        if code != "en":
            (CATALOGUES / f"{code}.po").write_bytes(written(code))


if __name__ == "__main__":
    main()
