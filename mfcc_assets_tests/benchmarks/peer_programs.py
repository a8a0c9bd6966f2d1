"""The other programs that recommend music by its sound: their descriptors of tracks, and their distances."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Descriptor = NDArray[Any]
"""What a peer keeps about a track."""

TENSORFLOW, MUSICNN = "tensorflow-cpu==2.21.0", "musicnn==0.1.0"

MUSICNN_RATE, MUSICNN_FFT, MUSICNN_HOP, MUSICNN_MELS = 16_000, 512, 256, 96
PATCH_FRAMES = 187
PATCH_SAMPLES = (PATCH_FRAMES - 1) * MUSICNN_HOP + MUSICNN_FFT
PATCHES = 24
"""Number of patches of a track that MusiCNN hears, evenly spaced. AudioMuse-AI takes all, which takes longer."""

DESCRIPTOR_BYTES = 200 * np.dtype(np.float32).itemsize
"""Size of what the network writes for a patch: the output of its dense layer."""

MUSLY_RATE = 22_050


class CannotDescribe(Exception):
    """A peer cannot make a descriptor of a file."""


class Unavailable(Exception):
    """A peer cannot be installed or started here."""


@dataclass(frozen=True)
class Peer:
    """A program that recommends music.

    Attributes
    ----------
    name
        Name of the program, of its method and of its version.
    describe
        Returns the descriptor of a file, or raises `CannotDescribe`. Several threads call it at once.
    compare
        Returns the distances (n, n) between the n tracks of a library. What a peer learns from a library, it learns
        from these tracks.
    """

    name: str
    describe: Callable[[Path], Descriptor]
    compare: Callable[[Sequence[Descriptor]], NDArray[np.float64]]

    def distances(self, descriptors: Sequence[Descriptor]) -> NDArray[np.float64]:
        """Return the distances (n, n). A track with an empty descriptor is far from every other one."""
        described = [row for row, descriptor in enumerate(descriptors) if len(descriptor)]
        distances = np.full((len(descriptors), len(descriptors)), np.inf)
        found = self.compare([descriptors[row] for row in described])
        distances[np.ix_(described, described)] = np.where(np.isnan(found), np.inf, found)
        return distances


@contextmanager
def opened_peers(folder: Path) -> Iterator[tuple[list[Peer], dict[str, str]]]:
    """Yield the peers that can be used here, and the reasons why others cannot, by name.

    Parameters
    ----------
    folder
        Folder for the environment of MusiCNN, which is made if it is not there.
    """
    peers, missing = [], {}
    with ExitStack() as stack:
        openings = {"MusiCNN": _musicnn(folder), "bliss-audio": _bliss(), "Musly": _musly()}
        for name, opening in openings.items():
            try:
                peers.append(stack.enter_context(opening))
            except Unavailable as error:
                missing[name] = str(error)
        yield peers, missing


@contextmanager
def _bliss() -> Iterator[Peer]:
    with _needed("bliss-audio"):
        import bliss_audio

    def describe(path: Path) -> Descriptor:
        try:
            return np.array(bliss_audio.Song(str(path)).analysis, dtype=np.float32)
        except BaseException as error:
            # Errors of the decoder are panics of Rust, whose class is not public and no subclass of Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise CannotDescribe(str(error)) from error

    yield Peer(f"bliss-audio {version('bliss-audio')}", describe, lambda found: cdist(found, found))


@contextmanager
def _musly() -> Iterator[Peer]:
    with _needed("pymusly"):
        import pymusly
    analyst = pymusly.MuslyJukebox("timbre", "none")

    def describe(path: Path) -> Descriptor:
        samples, _ = librosa.load(path, sr=MUSLY_RATE)
        try:
            track = analyst.track_from_audiodata(samples)
        except pymusly.MuslyError as error:
            raise CannotDescribe(str(error)) from error
        return np.frombuffer(analyst.serialize_track(track), dtype=np.uint8)

    def compare(found: Sequence[Descriptor]) -> NDArray[np.float64]:
        jukebox = pymusly.MuslyJukebox("timbre", "none")
        tracks = [jukebox.deserialize_track(descriptor.tobytes()) for descriptor in found]
        jukebox.set_style(tracks)
        pairs = list(zip(jukebox.add_tracks(tracks), tracks, strict=True))
        return np.array([jukebox.compute_similarity(pair, pairs) for pair in pairs], dtype=np.float64)

    yield Peer(f"Musly timbre (pymusly {version('pymusly')})", describe, compare)


@contextmanager
def _needed(distribution: str) -> Iterator[None]:
    try:
        version(distribution)
        yield
    except (ImportError, PackageNotFoundError) as error:
        raise Unavailable(f"{distribution} is not installed ({error})") from error


@contextmanager
def _musicnn(folder: Path) -> Iterator[Peer]:
    python = _musicnn_environment(folder)
    with (
        (folder / "musicnn.log").open("w") as log,
        subprocess.Popen(
            [python, Path(__file__).parent / "musicnn_network.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        ) as network,
    ):
        assert network.stdin is not None
        assert network.stdout is not None
        to_network, from_network, one_at_a_time = network.stdin, network.stdout, Lock()

        def answer(patch: NDArray[np.float32]) -> Descriptor:
            to_network.write(patch.tobytes())
            to_network.flush()
            described = from_network.read(DESCRIPTOR_BYTES)
            if len(described) != DESCRIPTOR_BYTES:
                raise BrokenPipeError(f"the network of MusiCNN has ended: see {log.name}")
            return np.frombuffer(described, dtype=np.float32)

        def describe(path: Path) -> Descriptor:
            found = []
            for patch in musicnn_patches(librosa.load(path, sr=MUSICNN_RATE)[0]):
                with one_at_a_time:
                    found.append(answer(patch))
            return np.mean(found, axis=0)

        try:
            answer(np.zeros((PATCH_FRAMES, MUSICNN_MELS), np.float32))
        except OSError as error:
            raise Unavailable(f"the network of MusiCNN does not start (see {log.name})") from error

        name = f"MusiCNN ({MUSICNN.replace('==', ' ')})"
        yield Peer(name, describe, lambda found: cdist(found, found, "cosine"))


def musicnn_patches(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return patches (patches, 187, 96) of the log-mel spectrum of a signal (samples,) of 16 kHz.

    The spectrum is that of AudioMuse-AI. The patches do not overlap.

    Raises
    ------
    CannotDescribe
        If the signal is shorter than a patch.
    """
    starts = np.arange(0, len(samples) - PATCH_SAMPLES + 1, PATCH_FRAMES * MUSICNN_HOP)
    if not len(starts):
        raise CannotDescribe("it is shorter than 3 s")
    if len(starts) > PATCHES:
        starts = starts[np.linspace(0, len(starts) - 1, PATCHES).round().astype(int)]
    spectra = librosa.feature.melspectrogram(
        y=np.array([samples[start : start + PATCH_SAMPLES] for start in starts]),
        sr=MUSICNN_RATE,
        n_fft=MUSICNN_FFT,
        hop_length=MUSICNN_HOP,
        n_mels=MUSICNN_MELS,
        center=False,
    )
    patches: NDArray[np.float32] = np.log10(1 + 10_000 * spectra).astype(np.float32).swapaxes(1, 2)
    return patches


def _musicnn_environment(folder: Path) -> Path:
    """Return the interpreter of an environment with TensorFlow and `musicnn`. It is made if it is not there.

    `musicnn` needs versions of its dependencies that no supported Python can install, so it is installed without any.
    """
    environment = folder / "musicnn"
    python, complete = environment / "bin" / "python", environment / "complete"
    if not complete.exists():
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
            subprocess.run([*install, TENSORFLOW], check=True)
            subprocess.run([*install, "--no-deps", MUSICNN], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Unavailable(f"its environment cannot be made ({error})") from error
        complete.touch()
    return python
