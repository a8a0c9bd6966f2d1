"""Which compared names of artists are spellings of one artist.

`mfcc_assets.credits` compares names when lists are made. It must not take two artists for one, so it is strict. When
quality is measured, one artist under two names would count right answers as wrong, so more spellings are one artist
here.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

_ACCENTS = re.compile("(?<=[a-z])[\u0300-\u036f]+")
"""Marks on Latin letters. In other scripts, such marks make other letters."""

_LATIN_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})
"""Letters that are often written without their stroke or as two letters, and that Unicode does not take apart."""

_ALSO_KNOWN_AS = re.compile(
    r"(?:\s+|\s*[(\[,]\s*)(?:aka|a\.\s?k\.\s?a\.?|fka|f\.\s?k\.\s?a\.?|alias|also known as|formerly(?: known as)?)\s+"
)
_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]+)[)\]]")
_IN_QUOTES = re.compile(r"(?<!\S)[\"'“„«](\S|\S.*?\S)[\"'”“»](?!\S)")
_TOGETHER = re.compile(r"\s*[,/;]\s*|\s+and\s+")


def one_artist(names: Iterable[str]) -> dict[str, str]:
    """Return for each name the name that stands for all spellings of its artist, which is the shortest of them.

    Spaces, punctuation and accents of Latin letters do not count, nor does the order of artists who are named together.
    A second name counts as a name of the artist: after "aka" or a similar word, as a nickname in quotation marks, or in
    brackets. If one name has several second names, these may tell several artists apart, so none of them counts.

    Parameters
    ----------
    names
        Compared names, such as `mfcc_assets.credits.ArtistNames.main` returns.

    Examples
    --------
    >>> one_artist(["ozoneone", "ozone one", "christian hoffmann (crystan)", "crystan"])
    {'ozoneone': 'ozoneone', 'ozone one': 'ozoneone', 'christian hoffmann (crystan)': 'crystan', 'crystan': 'crystan'}
    >>> one_artist(["bush (uk)", "bush (canada)", "bush"])
    {'bush (uk)': 'bush (uk)', 'bush (canada)': 'bush (canada)', 'bush': 'bush'}
    """
    both_names = {name: [_spelled(part) for part in _own_names(name)] for name in dict.fromkeys(names)}
    second_names = defaultdict(set)
    for own in both_names.values():
        second_names[own[0]].update(own[1:])
    alone = {own[0] for own in both_names.values() if len(own) == 1}
    keys = {}
    for name, own in both_names.items():
        is_told_apart = len(second_names[own[0]]) > 1
        usual = own if len(own) > 1 else [_turned(name), *own]
        known = [] if is_told_apart else [key for key in usual if key in alone]
        keys[name] = known[0] if known else " ".join(sorted(own))
    # A nickname may also stand between the other names like one of them.
    written_out = {_letters(name): keys[name] for name, own in both_names.items() if len(own) > 1}
    spellings = defaultdict(list)
    for name, key in keys.items():
        spellings[written_out.get(key, key)].append(name)
    return {
        name: shortest
        for names_of_one in spellings.values()
        for shortest in [min(names_of_one, key=lambda name: (len(name), name))]
        for name in names_of_one
    }


def _own_names(name: str) -> list[str]:
    """Return the first name of an artist, and the second one if there is one."""
    first, *others = _ALSO_KNOWN_AS.split(name, maxsplit=1)
    if others and _spelled(first):
        return [first, others[0]]
    for second in (_IN_BRACKETS, _IN_QUOTES):
        found = second.search(name)
        rest = found and f"{name[: found.start()]} {name[found.end() :]}"
        if found and rest and _letters(rest) and _letters(found[1]):
            return [rest, found[1]]
    return [name]


def _spelled(name: str) -> str:
    """Return the letters and digits of a name. The artists of a name of several are sorted."""
    return "".join(sorted(map(_letters, _TOGETHER.split(name)))) or name


def _turned(name: str) -> str:
    """Return the letters of a name with the family name in front, such as "bach, johann sebastian", in usual order."""
    family, _, given = name.partition(",")
    return _letters(f"{given} {family}")


def _letters(text: str) -> str:
    decomposed = _ACCENTS.sub("", unicodedata.normalize("NFD", text)).translate(_LATIN_LETTERS)
    kept = "".join(sign for sign in decomposed if unicodedata.category(sign)[0] in "LMN")
    return unicodedata.normalize("NFC", kept)
