"""The languages of the pages.

The texts in the code are English. A catalogue in `translations` has them in another language, in gettext's format.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po
from flask import Flask, g, request

from mfcc_assets.sentence import Sentence

LANGUAGES: Mapping[str, str] = {"en": "English", "zh": "中文"}
"""Name of each language in itself, by its code."""

LANGUAGE_COOKIE = "language"

_FOLDER = Path(__file__).parent / "translations"


def language() -> str:
    """Return the language of this request: the listener's choice, else the first of the browser's that there is."""
    if "language" not in g:
        chosen = request.cookies.get(LANGUAGE_COOKIE, "")
        g.language = chosen if chosen in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "en")
    found: str = g.language
    return found


def gettext(text: str, /, **values: object) -> str:
    """Return a text in the language of this request, with values in place of ``%(name)s``."""
    translated = messages(language()).get(text) or text
    return translated % values if values else translated


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """Return one of two texts for a number, in the language of this request. ``%(number)s`` is the number."""
    # A catalogue keeps the translation of a text with a number under its first form. Chinese has one form for all.
    translated = messages(language()).get(one) or (one if number == 1 else many)
    return translated % {"number": number, **values}


def translated(text: str) -> str:
    """Return a text in the language of this request if it is a sentence; names and titles stay as they are."""
    if not isinstance(text, Sentence):
        return text
    return gettext(text.template, **{name: translated(value) for name, value in text.values.items()})


@cache
def messages(code: str) -> Mapping[str, str]:
    """Return the texts of a language by their English ones. English has none."""
    path = _FOLDER / f"{code}.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        catalogue = read_po(file, locale=code)
    found: dict[str, str] = {}
    for message in catalogue:
        english = message.id if isinstance(message.id, str) else message.id[0]
        text = message.string if isinstance(message.string, str) else (message.string or [""])[0]
        if english and text:
            found[english] = text
    return found


def add_languages(app: Flask) -> None:
    """Let templates translate: ``_("text")`` and ``{% trans %}``."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    # The extension adds this method.
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.filters.update(translated=translated)
    app.jinja_env.globals.update(language=language, languages=LANGUAGES)
