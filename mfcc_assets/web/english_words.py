"""Texts of the library that are English or names of its parts, as pages in any language show them."""

from mfcc_assets.pipeline.note_words import words_for_note
from mfcc_assets.texts import printable
from mfcc_assets.web.i18n import gettext as _
from mfcc_assets.web.i18n import language, translated


def note_in_words(note: str) -> str:
    """Return a note on a file. The exact note is English, so other languages have what it says in a few words."""
    if language() == "en":
        return printable(note)
    return _("; ").join(translated(words) for words in words_for_note(note))


def ranking_in_words(name: str) -> str:
    """Return what a ranking, or a part of one, compares, with the name that commands and settings have for it."""
    words = {
        "article": _("course, as published"),
        "dtw": _("course"),
        "gaussian": _("timbre"),
        "timbre": _("timbre"),
        "low_timbre": _("timbre without treble"),
        "fused": _("timbre and course together"),
    }.get(name, "")
    return f"{words} ({name})" if words and words != name else name
