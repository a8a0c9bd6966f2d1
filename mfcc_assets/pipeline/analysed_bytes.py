"""The analysis of the bytes of one soundtrack: they are read once, for their digest and for their audio."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from mfcc_assets.audio.reader import read_audio_id
from mfcc_assets.compute.context import Context
from mfcc_assets.errors import AudioError
from mfcc_assets.ids import AudioId, digest_of_file, unread_digest
from mfcc_assets.pipeline.store_features import note_on, store_analysis
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.port import SOUNDTRACKS
from mfcc_assets.storage.sql.records import AudioContent

_LOCKS = 256


class ChangedMeanwhileError(Exception):
    """The file has changed since it was observed, so its audio must not be recorded for the former bytes."""


@dataclass(frozen=True)
class AnalysedBytes:
    """What the bytes of a file hold.

    Attributes
    ----------
    digest
        Their content digest.
    audio
        Their audio, or why it cannot be used.
    computed
        Whether features were computed. False if the same audio was known from other bytes or another file.
    """

    digest: str
    audio: AudioContent | AudioError
    computed: bool = False


@dataclass(frozen=True)
class ObservedFile:
    """A file of the container `soundtracks`, as it was observed.

    Attributes
    ----------
    name
        Its name.
    digest
        Its content digest, or what stands for it until the file is read.
    audio_id, seconds, note
        What is known of the audio that it had when it was last analysed.
    """

    name: str
    digest: str
    audio_id: AudioId | None
    seconds: float
    note: str


Contents = Callable[[Iterable[str]], Mapping[str, AudioContent]]
"""A function that returns the audio of those content digests that were analysed before."""


def nothing_known(_: Iterable[str]) -> Mapping[str, AudioContent]:
    """Return nothing. An executor knows no bytes but those that it has analysed."""
    return {}


class ByteAnalysis:
    """Analyses files for one run. Several threads may use it at once: equal bytes are decoded once.

    Parameters
    ----------
    context
        The stores, in which features are written.
    contents
        What is known of bytes that were analysed before.
    digests
        Content digests that are known from an observation, and may be those of bytes that were analysed before.
    present
        Audio whose features are stored.
    """

    def __init__(
        self,
        context: Context,
        contents: Contents = nothing_known,
        digests: Iterable[str] = (),
        present: Container[AudioId] = frozenset(),
    ) -> None:
        self._context, self._contents, self._stored = context, contents, present
        self._known = contents(digests)
        self._added = set[AudioId]()
        self._unrecorded: dict[str, AudioContent] = {}
        self._locks = [Lock() for _ in range(_LOCKS)]

    def known(self, digest: str) -> AudioContent | None:
        """Return the audio of bytes whose digest was observed, if its features are stored."""
        content = self._known.get(digest)
        return content if content is not None and self._is_present(content.audio_id) else None

    def add_stored(self, audio_id: AudioId) -> None:
        """Add audio whose features are stored."""
        self._added.add(audio_id)

    def of(self, file: ObservedFile) -> AnalysedBytes:
        """Read a file, and store the features of its audio if they are not stored.

        The digest is computed first, so that the decoder finds the bytes in the memory of this machine. What it reads
        is what was digested: otherwise the file has changed meanwhile, which its times or its digest show.

        Raises
        ------
        ChangedMeanwhileError
            If the file is not the one that was observed.
        BlobNotFound, OSError
            If it is gone, or may not be read.
        """
        known = self.known(file.digest)
        if known is not None:
            return AnalysedBytes(file.digest, known)
        blobs, name = self._context.blobs, file.name
        observed = blobs.stat(SOUNDTRACKS, name)
        with blobs.as_file(SOUNDTRACKS, name) as path:
            digest = digest_of_file(path)
            if file.digest not in (digest, unread_digest(name, observed.etag, observed.modified)):
                raise ChangedMeanwhileError
            # Threads that have equal bytes wait for each other. Others hardly ever meet at one lock.
            with self._locks[int(digest[:2], 16)]:
                analysed = self._of_file(file, path, digest)
                if blobs.stat(SOUNDTRACKS, name) != observed and digest_of_file(path) != digest:
                    raise ChangedMeanwhileError
                if isinstance(analysed.audio, AudioContent):
                    self._unrecorded[digest] = analysed.audio
                    self._added.add(analysed.audio.audio_id)
        return analysed

    def forget_recorded(self, contents: Iterable[AudioContent]) -> None:
        """Forget contents that the catalogue has now, so that the memory does not grow with the library."""
        for content in contents:
            self._unrecorded.pop(content.content_digest, None)

    def _is_present(self, audio_id: AudioId | None) -> bool:
        return audio_id in self._added or audio_id in self._stored

    def _of_file(self, file: ObservedFile, path: Path, digest: str) -> AnalysedBytes:
        content = self._unrecorded.get(digest) or self._contents([digest]).get(digest)
        if content is not None and self._is_present(content.audio_id):
            return AnalysedBytes(digest, content)
        name, limits = shown_name(file.name), self._context.limits
        try:
            if file.audio_id and self._is_present(file.audio_id) and read_audio_id(path, limits, name) == file.audio_id:
                return AnalysedBytes(digest, AudioContent(digest, file.audio_id, file.seconds, file.note))
            cepstra = self._context.feature_parameters.cepstra
            audio = store_analysis(self._context.features, path, cepstra, limits, name)
        except AudioError as error:
            return AnalysedBytes(digest, error)
        return AnalysedBytes(digest, AudioContent(digest, audio.audio_id, audio.seconds, note_on(audio)), computed=True)
