"""Why an upload has no answer, in a listener's words."""

from collections.abc import Mapping

from mfcc_assets.sentence import Sentence

FAILURE_WORDS: Mapping[str, Sentence] = {
    "unreadable": Sentence("This file is not music that we can read."),
    "empty": Sentence("This file holds no sound."),
    "too_short": Sentence("This is too short to compare it with other music."),
    "too_long": Sentence("This is longer than we can take."),
    "too_large": Sentence("This file is larger than we can take."),
    "too_costly": Sentence("Reading this file takes too long."),
    "silent": Sentence("This file is silent."),
    "not_finite": Sentence("The sound in this file is damaged."),
    "audio": Sentence("The sound in this file cannot be used."),
    "no_index": Sentence("The library has no music to recommend yet. This is answered as soon as it has."),
    "corrupt_index": Sentence("The library is being repaired. This is answered after that."),
    "no_features": Sentence("A part of the library is being repaired. This is answered after that."),
    "gone": Sentence("The file was deleted before it was read. Upload it again."),
    "changed": Sentence("The file changed while it was read. Upload it again."),
}
"""A sentence for each code of `mfcc_assets.pipeline.upload_document.Failure`."""

_UNKNOWN = Sentence("This cannot be answered.")


def words_for_failure(code: str) -> Sentence:
    """Return a sentence for the code of a failure. Documents of other versions may have other codes.

    Examples
    --------
    >>> words_for_failure("silent")
    'This file is silent.'
    """
    return FAILURE_WORDS.get(code, _UNKNOWN)
