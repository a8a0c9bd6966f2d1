"""What the notes on a file say, in a listener's words. The notes themselves are English, with all details."""

from collections.abc import Mapping

from mfcc_assets.sentence import Sentence

_BEGINNINGS: Mapping[str, Sentence] = {
    "cut off": Sentence("only its beginning could be decoded"),
    "its end is missing": Sentence("its end is missing"),
    "everything behind": Sentence("only its beginning is used"),
    "damaged": Sentence("a part of it is damaged"),
    "part ": Sentence("a part of it is damaged"),
    "its index lists": Sentence("a part of it is damaged"),
    "its picture": Sentence("its artwork could not be read"),
    "its tags": Sentence("its tags could not be read"),
    "no tags could": Sentence("its tags could not be read"),
    "parts of the tags": Sentence("a part of its tags is left out"),
}
"""Words for the notes that begin in this way."""

_OTHER = Sentence("something about this file is unusual")


def words_for_note(note: str) -> list[Sentence]:
    """Return in a few words what a note on a file says, each thing once.

    Parameters
    ----------
    note
        One or more remarks, separated by semicolons, as `mfcc_assets.storage.sql.records.Soundtrack.every_note` and the
        documents of uploads have them.

    Examples
    --------
    >>> words_for_note("cut off: 3.0 s of 9.0 s could be decoded; its picture is left out: it is too large")
    ['only its beginning could be decoded', 'its artwork could not be read']
    """
    remarks = [remark.strip() for remark in note.split("; ") if remark.strip()]
    return list(dict.fromkeys(_words_for(remark) for remark in remarks))


def _words_for(remark: str) -> Sentence:
    return next((words for begins, words in _BEGINNINGS.items() if remark.startswith(begins)), _OTHER)
