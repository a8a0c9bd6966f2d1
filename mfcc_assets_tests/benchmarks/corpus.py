"""The development corpus: 469 tracks of real music from packages of Debian. The repository holds only their names."""

import csv
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import IO

from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.compute.local import on_all_cores
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.track_features import TrackFeatures, analyse, track_features_of
from mfcc_assets.ids import AudioId
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.feature_store import FeatureStore
from mfcc_assets.storage.secrets.signing_key import local_signing_key

_MANIFEST = Path(__file__).parent / "corpus.csv"


@dataclass(frozen=True)
class Track:
    """A track of the corpus. Its name is its path in the folder of the corpus."""

    name: str
    package: str
    artist: str
    seconds: float

    @property
    def audio_id(self) -> AudioId:
        """A digest of the name, which stands in for the audio id. So the audio need not be decoded to find features."""
        return AudioId(hashlib.blake2b(self.name.encode(), digest_size=16).hexdigest())


@dataclass(frozen=True)
class Corpus:
    """The tracks that were downloaded, and their features. Features are computed once and kept.

    Attributes
    ----------
    folder
        Folder of the audio, with one folder per package.
    work
        Folder of the features.
    """

    folder: Path
    work: Path
    parameters: FeaturesParameters = field(default_factory=FeaturesParameters)

    @cached_property
    def tracks(self) -> list[Track]:
        return [track for track in _manifest() if self.path(track).exists()]

    def path(self, track: Track) -> Path:
        return self.folder / track.name

    @cached_property
    def store(self) -> FeatureStore:
        return FeatureStore(LocalBlobs(self.work / "blobs", partial(local_signing_key, self.work)))

    @cached_property
    def track_features(self) -> dict[AudioId, TrackFeatures]:
        """The features of every track, by audio id."""

        def of_track(track: Track) -> TrackFeatures:
            if not self.store.has_track_features(track.audio_id, self.parameters):
                reader = AudioReader(
                    self.path(track), self.parameters.cepstra.sample_rate, self.parameters.cepstra.trimmed_samples
                )
                analysis = analyse(reader.blocks(), self.parameters.cepstra)
                self.store.write_analysis(track.audio_id, analysis, self.parameters.cepstra)
                self.store.write_track_features(
                    track.audio_id, track_features_of(analysis, self.parameters), self.parameters
                )
            return self.store.read_track_features(track.audio_id, self.parameters)

        found = {track.audio_id: track_features for track, track_features in on_all_cores(of_track, self.tracks)}
        return {track.audio_id: found[track.audio_id] for track in self.tracks}


def fetch(folder: Path) -> None:
    """Download the missing packages with the tools of Debian, and keep their audio.

    Raises
    ------
    OSError, subprocess.CalledProcessError
        If this system is not Debian, or a package cannot be downloaded.
    """
    wanted: dict[str, set[str]] = {}
    for track in _manifest():
        if not (folder / track.name).exists():
            wanted.setdefault(track.package, set()).add(track.name.removeprefix(f"{track.package}/"))
    if wanted:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
    for package, names in wanted.items():
        with tempfile.TemporaryDirectory() as downloads:
            shutil.chown(downloads, user="_apt")  # apt downloads as this user
            subprocess.run(["apt-get", "download", "-qq", package], cwd=downloads, check=True)
            (archive,) = Path(downloads).glob("*.deb")
            for name, content in _files(archive, names):
                target = folder / package / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)


def _files(archive: Path, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted files of a package. Files in the archive of a game (a zip named .pk3) are named `pk3/<name>`."""
    unpacking = ["dpkg", "--fsys-tarfile", str(archive)]
    with (
        subprocess.Popen(unpacking, stdout=subprocess.PIPE) as dpkg,
        tarfile.open(fileobj=dpkg.stdout, mode="r|") as files,
    ):
        for member in files:
            name = member.name.removeprefix("./")
            if name in wanted:
                yield name, _content(files, member).read()
            elif name.endswith(".pk3") and member.isfile():
                with tempfile.TemporaryFile() as copy:
                    shutil.copyfileobj(_content(files, member), copy)
                    with zipfile.ZipFile(copy) as packed:
                        yield from (
                            (f"pk3/{name}", packed.read(name)) for name in packed.namelist() if f"pk3/{name}" in wanted
                        )


def _content(files: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = files.extractfile(member)
    assert content is not None
    return content


def _manifest() -> list[Track]:
    with _MANIFEST.open(newline="") as file:
        return [
            Track(row["path"], row["package"], row["artist"], float(row["seconds"])) for row in csv.DictReader(file)
        ]
