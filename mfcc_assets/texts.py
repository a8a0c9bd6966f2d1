"""Texts as they are shown and as they are compared. What is stored is neither: it stays as it was tagged or named."""

import re
import unicodedata

_LINE_BREAKS = re.compile(r"[\t\n\x0b-\x0d\x1c-\x1e\x85\u2028\u2029]")

# A control character could command the terminal, and a lone surrogate cannot be written at all.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# Embeddings, overrides, isolates and marks of direction. An override could show a name, or what follows it, backwards.
_DIRECTIONS = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_ACCENTS = re.compile(r"[\u0300-\u036f]")

# Letters that Unicode does not decompose, in lower case.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
    | dict.fromkeys("‘’ʼ`´", "'")
)


def printable(text: str) -> str:
    r"""Return a text as it can safely be shown in a line of a terminal, a log or a page.

    Returns
    -------
    str
        The text with spaces for tabs and line breaks, with the sign � for every other control character and lone
        surrogate, and without the characters that change the direction of writing.

    Examples
    --------
    >>> printable("Stop\x1b[2J\nthe music")
    'Stop�[2J the music'
    """
    return _DIRECTIONS.sub("", _CONTROLS.sub("\ufffd", _LINE_BREAKS.sub(" ", text)))


def counted(number: int, noun: str) -> str:
    """Return a number with a noun, which gets an s unless the number is one.

    Examples
    --------
    >>> counted(1, "track"), counted(0, "track")
    ('1 track', '0 tracks')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def folded(text: str) -> str:
    r"""Return a text as it is compared with others: without regard to case, width, Unicode form and extra spaces.

    Characters that nobody sees, such as byte order marks, spaces without width, soft hyphens and marks of direction,
    do not count either.

    Examples
    --------
    >>> folded(" Cafe\u0301  ＮＯＩＲ\u200b") == folded("CAFÉ noir")
    True
    """
    seen = "".join(letter for letter in _compatible(text) if unicodedata.category(letter) != "Cf")
    return " ".join(_compatible(seen.casefold()).split())


def unaccented(text: str) -> str:
    r"""Return a text as it is searched: as `folded` writes it, and without the accents of Latin, Greek and Cyrillic.

    Letters with a stroke and joined letters become plain letters, and curved apostrophes straight ones. Marks of other
    scripts, such as the dakuten of が, stay, because there they make another letter.

    Examples
    --------
    >>> unaccented("Beyoncé"), unaccented("MØ"), unaccented("ＢＪÖＲＫ"), unaccented("Don’t")
    ('beyonce', 'mo', 'bjork', "don't")
    """
    decomposed = unicodedata.normalize("NFD", folded(text))
    return unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed).translate(_PLAIN_LETTERS))


def _compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
