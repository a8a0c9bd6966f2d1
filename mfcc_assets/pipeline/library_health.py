"""Examine a library: its database, documents, files, artworks, features, indexes and lists."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.errors import FeaturesMissing, MfccError
from mfcc_assets.library import Library
from mfcc_assets.pipeline.artworks import faults_of_artworks
from mfcc_assets.pipeline.away import sentences_on_away, sentences_on_shadowed
from mfcc_assets.pipeline.faults import Examined, examined, first_faults
from mfcc_assets.pipeline.installation_health import (
    examine_disk,
    examine_extras,
    examine_home,
    examine_settings,
    examine_versions,
)
from mfcc_assets.pipeline.lost_tables import check_tables
from mfcc_assets.pipeline.missing import files_and_missing
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.pipeline.publication import refused_index, rollbacks
from mfcc_assets.pipeline.upload_lists import fault_of_lists, is_of_upload
from mfcc_assets.search.index import LibraryIndex
from mfcc_assets.storage.blobs.names import shown_name
from mfcc_assets.storage.blobs.port import BROKEN_LINKS, SOUNDTRACKS, Blob
from mfcc_assets.storage.index_store import IndexStore
from mfcc_assets.storage.sql.revisions import revision_of
from mfcc_assets.storage.sqlite_files import damage_of
from mfcc_assets.texts import counted

_COMPUTE = "`mfcc sync` computes them again."


def examine_all(library: Library) -> Iterator[Examined]:
    """Examine every part of an installation and its library, and yield what was found as soon as it is known.

    Nothing is repaired, and nothing is made if there is no library yet.
    """
    settings = library.settings
    yield examined("settings", lambda: examine_settings(settings))
    yield examined("versions", lambda: examine_versions(settings))
    yield examined("home", lambda: examine_home(settings))
    yield examined("disk", lambda: examine_disk(settings))
    yield examined("extras", lambda: examine_extras(library))
    if settings.profile == "local" and not settings.folder.exists():
        return
    parts: dict[str, Callable[[Library], Examined]] = {
        "database": examine_database,
        "documents": examine_documents,
        "soundtracks": examine_soundtracks,
        "artworks": examine_artworks,
        "features": examine_features,
        "index": examine_index,
        "lists": examine_lists,
    }
    for part, examine in parts.items():
        yield examined(part, partial(examine, library))


def examine_database(library: Library) -> Examined:
    """Find damage of the database, and tables that were lost."""
    library.database.check()
    soundtracks = library.catalogue.progress()[1]
    if not soundtracks:
        check_tables(library)
    revision = revision_of(library.database)
    return Examined("database", f"{library.database.name}, schema {revision}, {counted(soundtracks, 'soundtrack')}")


def examine_documents(library: Library) -> Examined:
    """Find damage of the documents of uploads."""
    number = sum(1 for _ in library.documents.find())
    path = library.settings.documents
    damage = damage_of(path) if library.settings.profile == "local" else ""
    fault = f"{path}: it is damaged ({damage}). Move it away: files that are still there are answered again."
    return Examined("documents", counted(number, "upload"), [fault] if damage else [])


def examine_soundtracks(library: Library) -> Examined:
    """Find files of the library that cannot be read, links that lead nowhere, and folders in place that are away."""
    files = files_and_missing(library)
    faults = [
        f"{shown_name(name)}: this link leads nowhere. Mount its disk, or remove the link."
        for name in files.skipped.get(BROKEN_LINKS, [])
    ]
    faults += filter(None, (_unreadable(library, name) for name in files.music))
    faults += sentences_on_shadowed(library, files)
    rejects = [reject for reject in library.catalogue.rejects() if reject.container == SOUNDTRACKS]
    notes = [f"{counted(len(rejects), 'file')} cannot be used. `mfcc library --rejects` says why."] if rejects else []
    notes += sentences_on_away(library, files)
    with suppress(MfccError):  # what is damaged is told with its part
        if outstanding := outstanding_work(library):
            notes.append(f"Not done yet: {counted(len(outstanding), 'change')}. `mfcc sync` starts a run that does it.")
    return Examined("soundtracks", counted(len(files.music), "file"), first_faults(faults), notes)


def _unreadable(library: Library, name: str) -> str:
    path = library.blobs.path(SOUNDTRACKS, name)
    try:
        if path is not None:
            path.open("rb").close()
    except OSError as error:
        reason = error.strerror or error
        return f"{shown_name(name)}: it cannot be read ({reason}). Check its permissions and its disk."
    return ""


def examine_artworks(library: Library) -> Examined:
    """Read the pictures of all soundtracks, and find those that are damaged or missing."""
    tracks = {soundtrack.track_id for soundtrack in library.catalogue.soundtracks()}
    faults = [
        f"{fault}. `mfcc sync` reads it from the soundtrack again." for fault in faults_of_artworks(library, tracks)
    ]
    return Examined("artworks", counted(len(tracks) - len(faults), "picture"), first_faults(faults))


def examine_features(library: Library) -> Examined:
    """Read all features, and find those that are damaged or missing."""
    parameters = library.feature_parameters
    stored = library.features.stored(parameters)

    def fault_of(blob: Blob) -> str:
        try:
            library.features.check(blob)
        except FeaturesMissing as error:
            return f"{error.subject}: {error.what}. {_COMPUTE}"
        return ""

    faults = sorted(fault for _, fault in on_all_cores(fault_of, stored) if fault)
    present = library.features.audio_with_track_features(parameters) & library.features.audio_with_cepstra(
        parameters.cepstra
    )
    lacking = library.catalogue.track_ids_by_audio().keys() - present
    index = library.indexes.published_if_usable()
    # Between the steps of a run, and after one that was killed, features of new tracks are not computed yet.
    lost = lacking & set(index.tracks) if index else set()
    missing = [f"Features are missing of {counted(len(lost), 'analysed track')}. {_COMPUTE}"] if lost else []
    new = len(lacking - lost)
    notes = [f"Not computed yet: features of {counted(new, 'track')}. `mfcc sync` goes on with them."] if new else []
    return Examined("features", f"{counted(len(stored), 'file')} read", [*first_faults(faults), *missing], notes)


def examine_index(library: Library) -> Examined:
    """Read all versions of the index whole, and find damage of them and of the pointer to the one that answers."""
    version = library.indexes.published_version()
    damaged = [
        f"index {damaged}: its description is damaged or lost. `mfcc index prune` deletes it."
        for damaged in library.indexes.damaged_versions()
        if damaged != version
    ]
    if version is None:
        note = "No index answers yet. `mfcc add PATH` makes one."
        return Examined("index", "none", first_faults(damaged), [note])
    damaged += filter(None, (_damage_of_former(library, former) for former in rollbacks(library)))
    faults = [*library.indexes.pointer_faults(), *damaged]
    with suppress(MfccError):  # what is damaged is told below
        faults += filter(None, [refused_index(library)])
    try:
        tracks = len(_verified(library, version).tracks)
    except MfccError as error:
        return Examined("index", faults=first_faults([str(error), *faults]))
    stored = [stored.version for stored in library.indexes.versions()]
    found = f"{version} answers, with {counted(tracks, 'track')}; {counted(len(stored), 'version')} stored"
    unusable = sum(map(library.indexes.is_of_other_program, stored))
    note = (
        f"Another version of this program made {counted(unusable, 'stored version')}, which cannot answer here. "
        "`mfcc index prune` deletes old versions."
    )
    return Examined("index", found, first_faults(faults), [note] if unusable else [])


def _verified(library: Library, version: str) -> LibraryIndex:
    """Read every part of a version, whatever was verified before."""
    return IndexStore(library.blobs).read(version).load_all()


def _damage_of_former(library: Library, version: str) -> str:
    """Return a sentence if a version to which rollbacks return is damaged."""
    try:
        _verified(library, version)
    except MfccError as error:
        return (
            f"index {version} cannot be read ({error.subject}: {error.what}). It does not answer now, but a rollback "
            "would return to it and fail. `mfcc index publish` can publish another one that `mfcc index list` shows."
        )
    return ""


def examine_lists(library: Library) -> Examined:
    """Read the stored candidates and rankings of every version of the index, and find those that are damaged."""
    stored = list(library.rankings.stored())
    published = f"indexes/{library.indexes.published_version()}/"

    def fault(blob: Blob) -> str:
        found = fault_of_lists(library, blob)
        if not found:
            return ""
        if is_of_upload(blob):
            return f"{found}. `mfcc sync` deletes them, and the answer to the upload stays."
        if blob.name.startswith(published):
            return f"{found}. {_COMPUTE}"
        return f"{found}. They are computed again when this version is published."

    faults = sorted(found for _, found in on_all_cores(fault, stored) if found)
    return Examined("lists", f"{counted(len(stored), 'file')} read", first_faults(faults))
