"""The English words that a page shows: a crude search for texts that nobody has translated."""

import re
from collections.abc import Collection
from html.parser import HTMLParser

# What is the same in every language: names of formats, units, commands and keys.
_NAMES = re.compile(
    r"JSON|MP3|FLAC|M4A|AAC|Ogg|Opus|WAV|AIFF|WMA|APE|M3U8|XSPF|JSPF|7-Zip|ZIP|RAR|PDF|Office|OptimFROG|MIDI"
    r"|kHz|MB|UTC|COE_\d+|mfcc add|\bj、k\b"
    r"|low_timbre|timbre|dtw|harmony|fused"
)
_WORD = re.compile(r"[A-Za-z]+")
_NOT_SHOWN = ("script", "style", "code", "kbd", "bdi")
_ATTRIBUTES = ("alt", "aria-label", "placeholder", "title")
_VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")


def english_words(page: str, names: Collection[str] = ()) -> list[str]:
    """Return the words of Latin letters that a page or a text shows to its reader.

    Parameters
    ----------
    page
        HTML, or a text.
    names
        Titles and other names that are no words of the page.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    found = []
    for text in reader.texts:
        rest = text
        # A name may be a part of a longer one.
        for name in sorted(filter(None, names), key=len, reverse=True):
            rest = rest.replace(name, "")
        found += _WORD.findall(_NAMES.sub("", rest))
    return found


class _Reader(HTMLParser):
    """Collects the texts of a page, and those of the attributes that are shown or read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        of_other_language = tag != "html" and "lang" in given
        if tag not in _VOID and (self._hidden or tag in _NOT_SHOWN or of_other_language):
            self._hidden.append(tag)
        if not of_other_language and tag not in _NOT_SHOWN:
            self.texts += [text for name in _ATTRIBUTES if (text := given.get(name))]

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and tag in self._hidden:
            while self._hidden.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.texts.append(data.strip())
