"""All errors of the package, as one tree.

Each error says what happened, to which track, upload, file or index, and what the reader can do::

    MfccError
    ├── AudioError                   the audio of one file is unusable
    │   ├── UnreadableAudio
    │   ├── EmptyAudio
    │   ├── TooShort
    │   ├── TooLong
    │   ├── TooLarge
    │   ├── TooCostly
    │   ├── SilentAudio
    │   └── NotFinite
    ├── StoreError                   a store or a service failed
    │   ├── ConnectionLost
    │   ├── BlobNotFound
    │   ├── BlobNameError
    │   ├── Conflict
    │   ├── DocumentNotFound
    │   ├── LinkRefused
    │   ├── RecogniserUnavailable
    │   ├── RightMissing
    │   └── SecretNotFound
    ├── SettingsError                this and all below: errors of a run, a command or an argument
    ├── RunFailed
    ├── ComputeFailed
    ├── WorkFailed
    ├── LeftToTheRun
    ├── UploadChanged
    ├── NotAnUploadId
    ├── NotACursor
    ├── PurgeIncomplete
    ├── FeaturesMissing
    │   └── FeaturesDamaged
    ├── NoPublishedIndex
    │   └── LostTables
    ├── CorruptIndex
    │   └── IndexOfOtherProgram
    ├── PublicationRefused
    ├── VersionNotFound
    ├── TrackNotFound
    ├── KeyNotFound
    ├── UnusableKeyName
    ├── IncompleteDocument
    ├── IllegalTransition
    ├── UnknownRanking
    ├── NoHarmony
    ├── PlaylistImpossible
    ├── UnknownPlaylistFormat
    └── UnusableManifest
"""

from typing import ClassVar

from mfcc_assets.texts import printable


class MfccError(Exception):
    """The base class of all errors that the reader of the message can act on.

    Parameters
    ----------
    what
        Description of what happened, as a sentence without its full stop.
    subject
        The track, upload, file or index to which it happened.
    remedy
        Advice to the reader, as a sentence without its full stop.

    Examples
    --------
    >>> print(TooShort("only 0.30 s of audio could be decoded", subject="a.mp3", remedy="Supply a longer file"))
    a.mp3: only 0.30 s of audio could be decoded. Supply a longer file.
    """

    def __init__(self, what: str, *, subject: str = "", remedy: str = "") -> None:
        self.what = what
        self.subject = subject
        self.remedy = remedy
        # Copying or pickling an error calls its class with only these arguments.
        super().__init__(what)

    def __str__(self) -> str:
        sentences = [f"{self.subject}: {self.what}" if self.subject else self.what, self.remedy]
        # Names of files may hold line breaks and control characters, and a message goes to logs and terminals.
        return printable(" ".join(f"{sentence}." for sentence in sentences if sentence))


class AudioError(MfccError):
    """The audio of one file cannot be used. The file becomes a reject, and other files are not affected."""

    code: ClassVar[str] = "audio"


class UnreadableAudio(AudioError):
    """No decoder can read the file."""

    code = "unreadable"


class EmptyAudio(AudioError):
    """The file has no bytes, or its stream has no samples."""

    code = "empty"


class TooShort(AudioError):
    """The audio is too short to be compared."""

    code = "too_short"


class TooLong(AudioError):
    """The audio is longer than the settings allow."""

    code = "too_long"


class TooLarge(AudioError):
    """The file has more bytes than the settings allow."""

    code = "too_large"


class TooCostly(AudioError):
    """Reading the file needs more time or memory than a file from outside may take."""

    code = "too_costly"


class SilentAudio(AudioError):
    """No sample of the audio is louder than silence."""

    code = "silent"


class NotFinite(AudioError):
    """The samples contain NaN, infinity or absurdly large numbers."""

    code = "not_finite"


class StoreError(MfccError):
    """A store or a service failed to do its work."""


class ConnectionLost(StoreError):
    """The connection to a database was lost for a moment. The caller may try again."""


class BlobNotFound(StoreError):
    """The container has no blob of that name."""


class BlobNameError(StoreError):
    """A blob cannot have that name."""


class Conflict(StoreError):
    """Somebody else changed the blob or document after it was read."""


class DocumentNotFound(StoreError):
    """The document store has no document of that id."""


class LinkRefused(StoreError):
    """A signed link has expired, was altered, or does not allow this use."""


class RecogniserUnavailable(StoreError):
    """A recogniser could not answer now. Another recogniser may know the recording."""


class RightMissing(StoreError):
    """The user or the identity of this process lacks a right to a store. Trying again does not help."""


class SecretNotFound(StoreError):
    """No secret of that name is configured."""


class SettingsError(MfccError):
    """The settings do not fit the library."""


class RunFailed(MfccError):
    """A run that was started for the reader did not succeed."""


class ComputeFailed(MfccError):
    """An engine, such as a cluster, could not do what it was given, or did not give all of it back."""


class WorkFailed(MfccError):
    """The work on one item failed for a reason that nobody expected. The work on other items is not affected."""


class LeftToTheRun(MfccError):
    """The audio of an upload is too long to answer at once, so its answer comes with the run."""


class UploadChanged(MfccError):
    """The file of an upload has other content than when it was received."""


class NotAnUploadId(MfccError):
    """A text has not the form of an upload id."""


class NotACursor(MfccError):
    """A text does not mark a place in a list of the library."""


class PurgeIncomplete(MfccError):
    """Something of a purged upload could not be removed."""


class FeaturesMissing(MfccError):
    """A step needs features that have not been computed with its parameters yet."""


class FeaturesDamaged(FeaturesMissing):
    """Stored features are not what was written.

    Damaged features count as missing, so callers that handle `FeaturesMissing` handle this error too.
    """


class NoPublishedIndex(MfccError):
    """There is no published index, or its stored lists are missing. Materialise the library to make them."""


class LostTables(NoPublishedIndex):
    """The database has none of the soundtracks that the published index names.

    Without its soundtracks an index cannot answer, so callers that handle `NoPublishedIndex` handle this error too.
    """


class CorruptIndex(MfccError):
    """A stored index is damaged."""


class IndexOfOtherProgram(CorruptIndex):
    """Another version of this program made a stored index, which this one cannot read.

    It cannot answer either, so callers that handle `CorruptIndex` handle this error too.
    """


class PublicationRefused(MfccError):
    """An index must not be published, because it is incomplete or worse than the published one."""


class VersionNotFound(MfccError):
    """No index version, or more than one, matches what the reader named."""


class TrackNotFound(MfccError):
    """No track of the library, or more than one, matches what the reader named."""


class KeyNotFound(MfccError):
    """No API key has that id, or it was revoked."""


class UnusableKeyName(MfccError):
    """A text cannot be the name of the user or program of an API key."""


class IncompleteDocument(MfccError):
    """The document of an upload lacks something that its state or a step guarantees."""


class IllegalTransition(MfccError):
    """A document was about to go to a state that may not follow its present state."""


class UnknownRanking(MfccError):
    """No ranking has that name."""


class NoHarmony(MfccError):
    """A track cannot be compared by its harmony."""


class PlaylistImpossible(MfccError):
    """The requested path or playlist cannot be made."""


class UnknownPlaylistFormat(MfccError):
    """No playlist format has that file suffix."""


class UnusableManifest(MfccError):
    """A list of labelled tracks cannot be read, or none of the tracks that it names can be used."""
