"""The state of a library at one look: what it holds, which index answers, what waits, and the disk that it uses."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mfcc_assets.errors import CorruptIndex, LostTables, MfccError, NoPublishedIndex
from mfcc_assets.library import Library
from mfcc_assets.pipeline.away import paths_away
from mfcc_assets.pipeline.index_versions import DescribedVersion, damaged_descriptions, describe_versions
from mfcc_assets.pipeline.library_listing import STATES
from mfcc_assets.pipeline.library_report import describe_library
from mfcc_assets.pipeline.lost_tables import check_tables
from mfcc_assets.pipeline.missing import files_and_missing
from mfcc_assets.pipeline.outstanding_work import outstanding_work
from mfcc_assets.pipeline.publication import refused_index
from mfcc_assets.pipeline.upload_document import State
from mfcc_assets.storage.blobs.port import ARTWORKS, BATCH, CEPSTRA, SOUNDTRACKS, UPLOADS
from mfcc_assets.storage.disk_space import free_bytes
from mfcc_assets.storage.disk_use import bytes_on_disk

_FOLDERS_OF_INDEXES = (
    "calibration_figures",
    "index_calibrations",
    "index_segments",
    "indexes",
    "ranking_layers",
    "version_tables",
)


@dataclass(frozen=True)
class LibraryStatus:
    """The state of a library.

    Attributes
    ----------
    states
        Number of soundtracks in each state.
    tables_fault
        Sentence about the soundtracks that the database has lost, beside an index that names them; empty if it has not.
    seconds
        Length of all analysed soundtracks together.
    copies
        Number of soundtracks whose audio another soundtrack has too.
    folders_in_place
        Paths of the folders in place.
    paths_away
        Paths of folders in place that are away, and of folders below them, files and links that are.
    index
        The version that answers; None if there is none.
    index_fault
        Sentence about why no index answers, or what is damaged; empty if nothing is.
    withheld
        Sentence about a newer index that is worse and therefore does not answer; empty if there is none.
    outstanding
        A line for each thing that a run over the library would change.
    uploads
        Number of uploads in each state, as their documents name it.
    disk
        Bytes that each part takes on this disk.
    free
        Bytes that are free on the disk of the home.
    """

    states: Mapping[str, int]
    tables_fault: str
    seconds: float
    copies: int
    folders_in_place: Sequence[str]
    paths_away: Sequence[str]
    index: DescribedVersion | None
    index_fault: str
    withheld: str
    outstanding: Sequence[str]
    uploads: Mapping[str, int]
    disk: Mapping[str, int]
    free: int


def status_of(library: Library) -> LibraryStatus:
    """Return the state of a library.

    Raises
    ------
    StoreError
        If a store cannot be reached.
    """
    report = describe_library(library)
    states = Counter(track.state for track in report.soundtracks)
    index, fault = _published(library)
    folders = library.music_folders.every() if library.settings.profile == "local" else {}
    away = paths_away(library, files_and_missing(library)) if library.settings.profile == "local" else []
    uploads = {state.value: len(library.documents.ids(state.value)) for state in State}
    return LibraryStatus(
        states={state: states[state] for state in STATES},
        tables_fault="" if report.soundtracks else _lost_tables(library),
        seconds=sum(track.seconds or 0.0 for track in report.soundtracks),
        copies=sum(len(names) - 1 for names in report.duplicates),
        folders_in_place=[str(folder) for folder in folders.values()],
        paths_away=away,
        index=index,
        index_fault=fault,
        withheld=_withheld(library),
        outstanding=outstanding_work(library),
        uploads={state: number for state, number in uploads.items() if number},
        disk=disk_use(library),
        free=free_bytes(library.settings.folder),
    )


def disk_use(library: Library) -> dict[str, int]:
    """Return the bytes that each part of a library takes on this disk, the largest first.

    On Azure these are the cache and what Dagster keeps, because the blobs lie elsewhere.
    """
    settings = library.settings
    home, computed = settings.folder, settings.blobs / CEPSTRA
    parts = {
        "soundtracks": [settings.blobs / SOUNDTRACKS],
        "artworks": [settings.blobs / ARTWORKS],
        "uploads": [settings.blobs / UPLOADS, settings.blobs / BATCH],
        "features": [computed / folder for folder in ("frames", "timbre", "summaries", "chroma", "waveforms")],
        "indexes": [computed / folder for folder in _FOLDERS_OF_INDEXES],
        "databases": [*home.glob("*.sqlite*")],
        "history of runs": [settings.dagster_home],
        "cache": [settings.cache],
    }
    used = {part: bytes_on_disk(*paths) for part, paths in parts.items()}
    used["other"] = max(0, bytes_on_disk(home) - sum(used.values()))
    return dict(sorted(used.items(), key=lambda part: -part[1]))


def _lost_tables(library: Library) -> str:
    try:
        check_tables(library)
    except LostTables as error:
        return str(error)
    except CorruptIndex:  # it is told of the index
        return ""
    return ""


def _withheld(library: Library) -> str:
    try:
        return refused_index(library)
    except MfccError:  # what is damaged is told of the index that answers, and by `mfcc doctor`
        return ""


def _published(library: Library) -> tuple[DescribedVersion | None, str]:
    try:
        version = library.indexes.published_version()
        index = next((described for described in describe_versions(library) if described.answers), None)
    except (CorruptIndex, NoPublishedIndex) as error:
        return None, str(error)
    if index is not None:
        return index, index.damage
    return None, damaged_descriptions(library).get(version, "") if version else ""
