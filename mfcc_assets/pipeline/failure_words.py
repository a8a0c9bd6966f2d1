"""Why an upload has no answer, in a listener's words."""

from collections.abc import Mapping

FAILURE_WORDS: Mapping[str, str] = {
    "unreadable": "This file is not music that we can read.",
    "empty": "This file holds no sound.",
    "too_short": "This is too short to compare it with other music.",
    "too_long": "This is longer than we can take.",
    "too_large": "This file is larger than we can take.",
    "too_costly": "Reading this file takes too long.",
    "silent": "This file is silent.",
    "not_finite": "The sound in this file is damaged.",
    "audio": "The sound in this file cannot be used.",
    "no_index": "The library has no music to recommend yet. This is answered as soon as it has.",
    "corrupt_index": "The library is being repaired. This is answered after that.",
    "no_features": "A part of the library is being repaired. This is answered after that.",
    "gone": "The file was deleted before it was read. Upload it again.",
    "changed": "The file changed while it was read. Upload it again.",
}
"""A sentence for each code of `mfcc_assets.pipeline.upload_document.Failure`."""

_UNKNOWN = "This cannot be answered."


def words_for_failure(code: str) -> str:
    """Return a sentence for the code of a failure. Documents of other versions may have other codes.

    Examples
    --------
    >>> words_for_failure("silent")
    'This file is silent.'
    """
    return FAILURE_WORDS.get(code, _UNKNOWN)
