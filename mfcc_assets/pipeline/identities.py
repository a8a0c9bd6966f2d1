"""Which new names are those of soundtracks that the library knows under other names: renamed and moved files."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from mfcc_assets.audio.reader import read_audio_id
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import AudioError, BlobNotFound
from mfcc_assets.ids import NO_CONTENT, AudioId, digest_of_file, is_unread
from mfcc_assets.library import Library
from mfcc_assets.pipeline.music_files import Difference
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.port import SOUNDTRACKS, Blob
from mfcc_assets.storage.sql.records import AudioContent, KnownFile


@dataclass
class RenamedFiles:
    """The files that have another name than when they were last observed.

    Attributes
    ----------
    former
        Former name of each, by its present name.
    digests
        Content digest of each file that was read, by its name and its version (ETag).
    """

    former: dict[str, str] = field(default_factory=dict)
    digests: dict[tuple[str, str], str] = field(default_factory=dict)


def renamed_files(
    library: Library, files: Mapping[str, Blob], known: Mapping[str, KnownFile], found: Difference
) -> RenamedFiles:
    """Find the soundtracks that are gone under one name and there under another one.

    A file is the same soundtrack if it has the same bytes, or, if it was tagged meanwhile, the same audio. A copy never
    takes the place of a file that is still there. A name may be used again: if another file has the former name now,
    the soundtrack goes with its content. But a file that was only tagged keeps its name, although there is a copy of
    its former bytes.

    Few files are read. The bytes of a renamed file are as many as before, and audio is only decoded if a soundtrack of
    the same format is gone. A file that nobody has read yet is the same soundtrack if it has the same version, which a
    disk keeps when it renames a file. In Azure it is a new soundtrack: there, nothing tells that it is the same one.

    Parameters
    ----------
    library
        The library.
    files
        Files that are there, by name.
    known
        Soundtracks that the catalogue knows, by name.
    found
        The difference between both.
    """
    search = _Search(library, files, known)
    lost = [name for name in (*found.gone, *found.changed) if name in known]
    search.match_versions(lost, [*found.new, *found.changed])
    search.match_contents(lost, [*found.new, *found.changed])
    search.match_audio([name for name in found.gone if name in known], found.new)
    return search.renamed


def pairs_of_names(former: Mapping[str, str], present: Mapping[str, str]) -> dict[str, str]:
    """Pair the names of files that are the same, and return the former name of each present name that has one.

    If several files are the same, those are paired first whose paths have the longest common end. Each name is paired
    once at most.

    Parameters
    ----------
    former, present
        What identifies each file, by its name.

    Examples
    --------
    >>> pairs_of_names({"a/1.mp3": "x", "b/2.mp3": "x"}, {"c/2.mp3": "x", "c/3.mp3": "x", "new.mp3": "y"})
    {'c/2.mp3': 'b/2.mp3', 'c/3.mp3': 'a/1.mp3'}
    """
    pairs: dict[str, str] = {}
    candidates = _by_key(former)
    for key, names in _by_key(present).items():
        left, right = set(candidates.get(key, ())), set(names)
        depth = max((name.count("/") + 1 for name in (*left, *right)), default=0)
        for length in range(depth if left else -1, -1, -1):
            ends = _by_key({name: _end(name, length) for name in left})
            for end, group in _by_key({name: _end(name, length) for name in right}).items():
                for one, other in zip(group, ends.get(end, ()), strict=False):
                    pairs[one] = other
                    right.remove(one)
                    left.remove(other)
    return dict(sorted(pairs.items()))


def _by_key(keys: Mapping[str, str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(keys):
        groups[keys[name]].append(name)
    return groups


def _end(name: str, length: int) -> str:
    parts = name.split("/")
    return "/".join(parts[max(0, len(parts) - length) :])


class _Search:
    def __init__(self, library: Library, files: Mapping[str, Blob], known: Mapping[str, KnownFile]) -> None:
        self.renamed = RenamedFiles()
        self._library, self._files, self._known = library, files, known

    def match_versions(self, lost: Iterable[str], present: Iterable[str]) -> None:
        """Match files that were not read before they were renamed. A name may be both lost and present."""
        etags = {name: self._known[name].etag for name in lost if is_unread(self._known[name].content_digest)}
        etags = {name: etag for name, etag in etags.items() if not self._has_etag(name, etag)}
        versions = {*etags.values()}
        candidates = {name: etag for name in present if (etag := self._files[name].etag) in versions}
        self.renamed.former |= pairs_of_names(etags, candidates)

    def match_contents(self, lost: Iterable[str], present: Iterable[str]) -> None:
        """Match files of the same bytes. A name may be both lost and present: it has other bytes than before."""
        digests = {name: self._known[name].content_digest for name in lost}
        digests = {name: digest for name, digest in digests.items() if digest != NO_CONTENT and not is_unread(digest)}
        of_size: dict[int, set[str]] = defaultdict(set)
        for name in digests:
            of_size[self._known[name].bytes].add(name)
        # A file of which only the former one of its own name had so many bytes is no renamed one.
        matched = self.renamed.former
        others = {name: of_size.get(self._files[name].size, set()) - {name} for name in present if name not in matched}
        candidates = [name for name, names in others.items() if names]
        if not candidates:
            return
        read = self._digests(candidates)
        unchanged = {name for name, digest in read.items() if digests.get(name) == digest}
        pairs = pairs_of_names(
            {name: digest for name, digest in digests.items() if name not in unchanged},
            {name: digest for name, digest in read.items() if name not in unchanged},
        )
        while kept := {name for name, former in pairs.items() if self._keeps_its_name(former, pairs)}:
            pairs = {name: former for name, former in pairs.items() if name not in kept}
        self.renamed.former |= pairs

    def match_audio(self, gone: Iterable[str], new: Iterable[str]) -> None:
        """Match files of the same audio, which were tagged and renamed."""
        matched = set(self.renamed.former.values())
        audio_ids = {name: self._known[name].audio_id for name in gone if name not in matched}
        lost = {name: audio_id for name, audio_id in audio_ids.items() if audio_id is not None}
        formats = {_format(name) for name in lost}
        candidates = [name for name in new if name not in self.renamed.former and _format(name) in formats]
        if not candidates:
            return
        audio = {name: audio_id for name, audio_id in on_all_cores(self._audio, candidates) if audio_id is not None}
        self.renamed.former |= pairs_of_names(lost, audio)

    def _has_etag(self, name: str, etag: str) -> bool:
        return name in self._files and self._files[name].etag == etag

    def _keeps_its_name(self, former: str, pairs: Mapping[str, str]) -> bool:
        """Return True if the file that has the former name is still the same soundtrack, with other tags."""
        if former not in self._files or former in pairs:
            return False
        audio_id = self._known[former].audio_id
        return audio_id is None or self._audio(former) == audio_id

    def _digests(self, names: list[str]) -> dict[str, str]:
        read = {name: digest for name, digest in on_all_cores(self._digest, names) if digest is not None}
        self.renamed.digests |= {(name, self._files[name].etag): digest for name, digest in read.items()}
        return read

    def _digest(self, name: str) -> str | None:
        """Return the content digest of a file, or None if it is not the file that was listed any more."""
        try:
            with self._library.blobs.as_file(SOUNDTRACKS, name) as path:
                digest = digest_of_file(path)
            return digest if self._is_as_listed(name) else None
        except (BlobNotFound, FileNotFoundError, PermissionError):
            return None

    def _audio(self, name: str) -> AudioId | None:
        """Return the audio id of a file, or None if it has no audio, or changes meanwhile."""
        digest = self._digest(name)
        if digest is None:
            return None
        self.renamed.digests[name, self._files[name].etag] = digest
        content = self._library.catalogue.contents([digest]).get(digest)
        if content is not None:
            return content.audio_id
        try:
            with self._library.blobs.as_file(SOUNDTRACKS, name) as path:
                audio_id = read_audio_id(path, self._library.limits, shown_name(name))
            if not self._is_as_listed(name):
                return None
        except (AudioError, BlobNotFound, FileNotFoundError, PermissionError):
            return None
        self._remember(digest, audio_id)
        return audio_id

    def _remember(self, digest: str, audio_id: AudioId) -> None:
        """Store which audio these bytes hold if the library knows this audio, so that they are not decoded again."""
        track = self._library.catalogue.tracks_of_audio([audio_id]).get(audio_id)
        if track is not None:
            content = AudioContent(digest, audio_id, track.seconds or 0.0, track.note)
            self._library.catalogue.record_content(content)

    def _is_as_listed(self, name: str) -> bool:
        return self._library.blobs.stat(SOUNDTRACKS, name).etag == self._files[name].etag


def _format(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
