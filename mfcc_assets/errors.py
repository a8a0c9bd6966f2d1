"""The one tree of errors. Each says what happened, to which track or upload, and what the reader can do."""

from typing import ClassVar


class MfccError(Exception):
    """Something that the reader of the message can act on.

    Parameters
    ----------
    what
        What happened, as a sentence without its full stop.
    subject
        The track, upload, file or index it happened to.
    remedy
        What the reader can do, as a sentence without its full stop.
    """

    def __init__(self, what: str, *, subject: str = "", remedy: str = "") -> None:
        self.what = what
        self.subject = subject
        self.remedy = remedy
        # What copies an error, as crossing to another process does, calls its class with these arguments alone.
        super().__init__(what)

    def __str__(self) -> str:
        sentences = [f"{self.subject}: {self.what}" if self.subject else self.what, self.remedy]
        return " ".join(f"{sentence}." for sentence in sentences if sentence)


class AudioError(MfccError):
    """The audio of one file cannot be used: it becomes a reject, and its neighbours go on."""

    code: ClassVar[str] = "audio"


class UnreadableAudio(AudioError):
    """No decoder makes sense of the bytes."""

    code = "unreadable"


class EmptyAudio(AudioError):
    """The file has no bytes, or its stream no samples."""

    code = "empty"


class TooShort(AudioError):
    """Less audio than can be compared."""

    code = "too_short"


class TooLong(AudioError):
    """More audio than the settings allow."""

    code = "too_long"


class TooLarge(AudioError):
    """A file of more bytes than the settings allow."""

    code = "too_large"


class SilentAudio(AudioError):
    """No sample rises above silence."""

    code = "silent"


class NotFinite(AudioError):
    """The samples hold NaN or infinity."""

    code = "not_finite"


class FeaturesMissing(MfccError):
    """Features that a stage needs were not computed yet with the parameters it needs."""


class FeaturesVersionMismatch(FeaturesMissing):
    """Features or indexes made with different parameters were about to be mixed."""


class NoPublishedIndex(MfccError):
    """There is nothing to search yet: the library is empty, or was never materialised."""


class CorruptIndex(MfccError):
    """A stored index is not what was written."""


class SettingsError(MfccError):
    """The settings do not fit the library."""


class PublicationRefused(MfccError):
    """An index may not answer: it is incomplete, or worse than the one that does."""


class StoreError(MfccError):
    """A store could not do what it was asked."""


class ConnectionLost(StoreError):
    """A database was away for a moment: what was asked of it may be asked again."""


class BlobNotFound(StoreError):
    """No blob of that name is in the container."""


class BlobNameError(StoreError):
    """The name cannot be the name of a blob."""


class Conflict(StoreError):
    """Somebody else changed the blob or document since it was read."""


class DocumentNotFound(StoreError):
    """No document of that id is in the metadata store."""


class LinkRefused(StoreError):
    """A signed link is expired, altered, or used for something it does not allow."""


class RecogniserUnavailable(StoreError):
    """A recogniser could not be asked who a query is: another may be."""


class SecretNotFound(StoreError):
    """No secret of that name is configured."""


class IncompleteDocument(MfccError):
    """The document of an upload lacks something that its state or a step guarantees."""


class IllegalTransition(MfccError):
    """A document was about to go to a state that may not follow its present state."""


class UnknownRanking(MfccError):
    """No ranking has that name."""


class RunFailed(MfccError):
    """A run that was started for the reader did not succeed."""


class TrackNotFound(MfccError):
    """No track of the library, or more than one, is what the reader named."""


class VersionNotFound(MfccError):
    """No version of the index, or more than one, is what the reader named."""


class UnusableManifest(MfccError):
    """A list of labelled tracks cannot be read, or nothing it names can be used."""


class PlaylistImpossible(MfccError):
    """What was asked of a path or a playlist cannot be had."""


class UnknownPlaylistFormat(MfccError):
    """No playlist is written to a file of that suffix."""
