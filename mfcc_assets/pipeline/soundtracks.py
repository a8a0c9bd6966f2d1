"""From files to features: cepstra of every audio, and the summary of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from mfcc_assets.audio.artwork import PICTURE_SUFFIXES, Picture, embedded_picture, generated_cover
from mfcc_assets.audio.reader import Audio, AudioLimits, AudioReader, read_audio_id
from mfcc_assets.audio.tags import Tags, read_tags, title_from_name
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import AudioError, BlobNotFound, TooLong, TooShort, UnreadableAudio
from mfcc_assets.features.parameters import CepstraParameters, FeaturesParameters
from mfcc_assets.features.track_features import analyse, track_features_of
from mfcc_assets.ids import NO_CONTENT, content_digest, shard_of, track_id
from mfcc_assets.library import Library
from mfcc_assets.storage.blobs.port import Blob
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets.storage.sql.records import AudioContent, Observed, Reject, Soundtrack

_PICTURES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"}
_PLAYLISTS = {".cue", ".m3u", ".m3u8", ".pls"}
_TEXTS = {".htm", ".html", ".json", ".log", ".lrc", ".md", ".nfo", ".pdf", ".txt", ".url", ".xml"}
_SYSTEM_FILES = {".db", ".ini", ".md5", ".sfv"}

COMPANION_SUFFIXES = frozenset(_PICTURES | _PLAYLISTS | _TEXTS | _SYSTEM_FILES)
"""What lies beside music in its folders. Everything else is tried, so that no audio is passed over in silence."""


def is_companion(blob_name: str) -> bool:
    """Whether a file only accompanies music: a cover, a playlist, a hidden file."""
    name = blob_name.rpartition("/")[2]
    return name.startswith(".") or PurePosixPath(name).suffix.lower() in COMPANION_SUFFIXES


def soundtrack_files(library: Library) -> dict[str, Blob]:
    """Every file of music in the container `soundtracks`, by name."""
    return {blob.name: blob for blob in library.blobs.list("soundtracks") if not is_companion(blob.name)}


@dataclass(frozen=True)
class Difference:
    """What became of a library since it was last looked at: names, sorted."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    unchanged: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)

    @property
    def outcomes(self) -> dict[str, str]:
        """What became of each name: new, changed, gone or unchanged."""
        return {name: kind for kind, names in vars(self).items() for name in names}


def difference(listing: Mapping[str, str], manifest: Mapping[str, str]) -> Difference:
    """Compare a listing with what is known, both as the version (ETag) of each name."""
    both = listing.keys() & manifest.keys()
    changed = {name for name in both if listing[name] != manifest[name]}
    return Difference(
        new=tuple(sorted(listing.keys() - both)),
        changed=tuple(sorted(changed)),
        gone=tuple(sorted(manifest.keys() - both)),
        unchanged=tuple(sorted(both - changed)),
    )


FILES_A_TRANSACTION = 200
"""A killed run observes at most so many files again."""


def observe_soundtracks(library: Library, shards: Sequence[str], *, run_id: str) -> Difference:
    """Bring the catalogue's rows of these shards up to date with the container.

    Only files that are new or changed are read. Of a soundtrack that is gone, every row goes, and its artwork.
    """
    digits = library.settings.shard_digits
    wanted = set(shards)
    files = soundtrack_files(library)
    listing = {name: blob.etag for name, blob in files.items() if shard_of(track_id(name), digits) in wanted}
    found = difference(listing, library.catalogue.manifest(shards))

    for name in (*found.gone, *found.changed):
        for suffix in PICTURE_SUFFIXES:
            library.blobs.delete("artworks", track_id(name) + suffix)
    library.catalogue.record_observed([], found.gone, shard_digits=digits, run_id=run_id)

    observed: list[Observed] = []
    for _, file in on_all_cores(lambda name: _observed(library, name), [*found.new, *found.changed]):
        if file is not None:
            observed.append(file)
        if len(observed) == FILES_A_TRANSACTION:
            library.catalogue.record_observed(observed, [], shard_digits=digits, run_id=run_id)
            observed = []
    library.catalogue.record_observed(observed, [], shard_digits=digits, run_id=run_id)
    return found


def _observed(library: Library, name: str) -> Observed | None:
    try:
        # The version is taken before the bytes are read: a file that changes meanwhile is seen as changed next time.
        blob = library.blobs.stat("soundtracks", name)
        with library.blobs.as_file("soundtracks", name) as path:
            digest, tags, picture = _inspected(path)
    except (BlobNotFound, FileNotFoundError):
        return None  # it went after it was listed, and is found gone next time
    tags = replace(tags, title=tags.title or title_from_name(name))
    picture = picture or generated_cover(track_id(name), tags.title, tags.artist)
    artwork = track_id(name) + picture.suffix
    library.blobs.write("artworks", artwork, picture.data)
    return Observed(blob_name=name, etag=blob.etag, bytes=blob.size, content_digest=digest, tags=tags, artwork=artwork)


def _inspected(path: Path) -> tuple[str, Tags, Picture | None]:
    try:
        with path.open("rb") as file:
            digest = content_digest(file)
        return digest, read_tags(path), embedded_picture(path)
    except PermissionError:
        return NO_CONTENT, Tags(), None  # whoever analyses the file says why it cannot be used


COMPUTED, REUSED, UNCHANGED, REJECTED = "computed", "reused", "unchanged", "rejected"


@dataclass
class AnalysisReport:
    """What analysing the soundtracks of some shards came to.

    Attributes
    ----------
    outcomes
        By file whether its cepstra were computed, were known under other bytes or another name (reused), needed no look
        (unchanged), or cannot be (rejected).
    computed
        By audio id the file whose cepstra were computed.
    seconds
        By that file the length of its audio.
    notes
        What a person should know about files that were used all the same.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    computed: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class _ChangedMeanwhileError(Exception):
    """A file is no longer what was observed: its audio must not be remembered as that of the former bytes."""


@dataclass(frozen=True)
class _Analysed:
    content: AudioContent
    computed: bool


def analyse_soundtracks(
    library: Library, shards: Sequence[str], *, run_id: str, on_progress: Callable[[int, int], None] = lambda *_: None
) -> AnalysisReport:
    """Compute the cepstra of every audio in these shards that has none yet.

    Files whose bytes are known, under whatever name, are not decoded. A changed file is decoded once to see whether
    its audio changed, too: other tags alone cost no features. What cannot be used becomes a reject.
    """
    parameters = library.settings.features.cepstra
    soundtracks = library.catalogue.soundtracks(shards)
    present = library.features.audio_with_cepstra(parameters)
    waiting: dict[str, list[Soundtrack]] = {}
    for track in soundtracks:
        if track.analysed_digest != track.content_digest or (track.audio_id and track.audio_id not in present):
            waiting.setdefault(track.content_digest, []).append(track)
    known = library.catalogue.contents(waiting)
    report = AnalysisReport(outcomes=dict.fromkeys((track.blob_name for track in soundtracks), UNCHANGED))

    def analysed(tracks: list[Soundtrack]) -> _Analysed | AudioError | None:
        track = tracks[0]
        if track.content_digest == NO_CONTENT:
            return UnreadableAudio("the file may not be read", remedy="Change its permissions")
        try:
            content = known.get(track.content_digest) or _content_of_changed_tags(library, track, present)
            if content and content.audio_id in present:
                return _Analysed(content, computed=False)
            return _Analysed(_computed_content(library, track), computed=True)
        except AudioError as error:
            return error
        except (BlobNotFound, FileNotFoundError, PermissionError, _ChangedMeanwhileError):
            return None  # it went or changed after it was observed; the next look at the container finds that out

    # The largest first: a track of an hour that came last would keep one core busy while the others wait.
    largest_first = sorted(waiting.values(), key=lambda tracks: tracks[0].bytes, reverse=True)
    for done, (tracks, outcome) in enumerate(on_all_cores(analysed, largest_first), start=1):
        on_progress(done, len(waiting))
        names = [track.blob_name for track in tracks]
        if isinstance(outcome, AudioError):
            report.rejects += [_reject(library, track, outcome, run_id) for track in tracks]
            report.outcomes |= dict.fromkeys(names, REJECTED)
        elif outcome is not None:
            content = outcome.content
            for track in tracks:
                library.catalogue.record_content(content, track=track.track_id)
            report.notes += [f"{name}: {content.note}" for name in names if content.note]
            report.outcomes |= dict.fromkeys(names, REUSED)
            if outcome.computed:
                report.outcomes[names[0]] = COMPUTED
                report.computed[content.audio_id] = names[0]
                report.seconds[names[0]] = content.seconds
    return report


def analyse_file(
    path: Path, features: FeatureStore, parameters: CepstraParameters, limits: AudioLimits, subject: str
) -> Audio:
    """Compute and store the cepstra and the timbre of one file; raises `AudioError` where its audio cannot be used."""
    reader = AudioReader(path, parameters.sample_rate, parameters.trimmed_samples, limits, subject)
    analysis = analyse(reader.blocks(), parameters)
    features.write_analysis(reader.audio.audio_id, analysis, parameters)
    return reader.audio


def note_on(audio: Audio) -> str:
    """What a person should know about audio that was used all the same."""
    if not audio.truncated:
        return ""
    return f"cut off: {audio.seconds:.1f} s of {audio.declared_seconds:.1f} s could be decoded"


def compute_features_of_soundtracks(library: Library, shards: Sequence[str]) -> dict[str, str]:
    """Summarise every audio in these shards that has no summary yet.

    Returns
    -------
    dict
        By file whether its summary was computed or unchanged; of files with the same audio the first counts.

    Raises
    ------
    FeaturesMissing
        Cepstra of these parameters are missing: the error says what to backfill.
    """
    parameters = library.settings.features
    present = library.features.audio_with_track_features(parameters)
    soundtracks = reversed(library.catalogue.soundtracks(shards))
    names = {track.audio_id: track.blob_name for track in soundtracks if track.audio_id}
    missing = [audio for audio in names if audio not in present]
    for _ in on_all_cores(lambda audio: compute_track_features(library.features, audio, parameters), missing):
        pass
    return {name: UNCHANGED if audio in present else COMPUTED for audio, name in names.items()}


def compute_track_features(features: FeatureStore, audio: str, parameters: FeaturesParameters) -> None:
    """Compute and store the summary of audio whose cepstra are there."""
    analysis = features.read_analysis(audio, parameters.cepstra)
    features.write_track_features(audio, track_features_of(analysis, parameters), parameters)


def _content_of_changed_tags(library: Library, track: Soundtrack, present: set[str]) -> AudioContent | None:
    if track.audio_id not in present:
        return None
    with library.blobs.as_file("soundtracks", track.blob_name) as path:
        if read_audio_id(path, library.settings.limits, track.blob_name) != track.audio_id:
            return None
    return AudioContent(track.content_digest, track.audio_id, track.seconds or 0.0, track.note)


def _computed_content(library: Library, track: Soundtrack) -> AudioContent:
    settings = library.settings
    with library.blobs.as_file("soundtracks", track.blob_name) as path:
        audio = analyse_file(path, library.features, settings.features.cepstra, settings.limits, track.blob_name)
        with path.open("rb") as file:
            if content_digest(file) != track.content_digest:
                raise _ChangedMeanwhileError
    return AudioContent(track.content_digest, audio.audio_id, audio.seconds, note_on(audio))


def _reject(library: Library, track: Soundtrack, error: AudioError, run_id: str) -> Reject:
    # The same bytes may lie under several names, and each is told of its own.
    reason = str(type(error)(error.what, subject=track.blob_name, remedy=error.remedy))
    reject = Reject(track.track_id, "soundtracks", track.blob_name, error.code, reason)
    # The limits on length are settings, and checking them again costs a look at the header.
    lasting = not isinstance(error, TooShort | TooLong)
    library.catalogue.record_reject(reject, run_id=run_id, content_digest=track.content_digest if lasting else None)
    return reject
