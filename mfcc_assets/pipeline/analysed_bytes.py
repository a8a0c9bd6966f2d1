"""The analysis of the bytes of one soundtrack: they are read once, for their digest and for their audio."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from mfcc_assets.audio.reader import read_audio_id
from mfcc_assets.errors import AudioError
from mfcc_assets.ids import AudioId, digest_of_file, unread_digest
from mfcc_assets.library import Library
from mfcc_assets.pipeline.store_features import note_on, store_analysis
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.port import SOUNDTRACKS
from mfcc_assets.storage.sql.records import AudioContent, Soundtrack

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


class ByteAnalysis:
    """Analyses files for one run. Several threads may use it at once: equal bytes are decoded once.

    Parameters
    ----------
    library
        The library, whose features are written.
    digests
        Content digests that are known from an observation, and may be those of bytes that were analysed before.
    present
        Audio whose features are stored. What is computed is added.
    """

    def __init__(self, library: Library, digests: Iterable[str], present: set[AudioId]) -> None:
        self._library, self._present = library, present
        self._known = library.catalogue.contents(digests)
        self._unrecorded: dict[str, AudioContent] = {}
        self._locks = [Lock() for _ in range(_LOCKS)]

    def of(self, track: Soundtrack) -> AnalysedBytes:
        """Read the file of a soundtrack, and store the features of its audio if they are not stored.

        The digest is computed first, so that the decoder finds the bytes in the memory of this machine. What it reads
        is what was digested: otherwise the file has changed meanwhile, which its times or its digest show.

        Raises
        ------
        ChangedMeanwhileError
            If the file is not the one that was observed.
        BlobNotFound, OSError
            If it is gone, or may not be read.
        """
        known = self._known.get(track.content_digest)
        if known is not None and known.audio_id in self._present:
            return AnalysedBytes(track.content_digest, known)
        blobs, name = self._library.blobs, track.blob_name
        observed = blobs.stat(SOUNDTRACKS, name)
        with blobs.as_file(SOUNDTRACKS, name) as path:
            digest = digest_of_file(path)
            if track.content_digest not in (digest, unread_digest(name, observed.etag, observed.modified)):
                raise ChangedMeanwhileError
            # Threads that have equal bytes wait for each other. Others hardly ever meet at one lock.
            with self._locks[int(digest[:2], 16)]:
                analysed = self._of_file(track, path, digest)
                if blobs.stat(SOUNDTRACKS, name) != observed and digest_of_file(path) != digest:
                    raise ChangedMeanwhileError
                if isinstance(analysed.audio, AudioContent):
                    self._unrecorded[digest] = analysed.audio
                    self._present.add(analysed.audio.audio_id)
        return analysed

    def forget_recorded(self, contents: Iterable[AudioContent]) -> None:
        """Forget contents that the catalogue has now, so that the memory does not grow with the library."""
        for content in contents:
            self._unrecorded.pop(content.content_digest, None)

    def _of_file(self, track: Soundtrack, path: Path, digest: str) -> AnalysedBytes:
        content = self._unrecorded.get(digest) or self._library.catalogue.contents([digest]).get(digest)
        if content is not None and content.audio_id in self._present:
            return AnalysedBytes(digest, content)
        name, limits = shown_name(track.blob_name), self._library.limits
        try:
            if track.audio_id in self._present and read_audio_id(path, limits, name) == track.audio_id:
                return AnalysedBytes(digest, AudioContent(digest, track.audio_id, track.seconds or 0.0, track.note))
            cepstra = self._library.feature_parameters.cepstra
            audio = store_analysis(self._library.features, path, cepstra, limits, name)
        except AudioError as error:
            return AnalysedBytes(digest, error)
        return AnalysedBytes(digest, AudioContent(digest, audio.audio_id, audio.seconds, note_on(audio)), computed=True)
