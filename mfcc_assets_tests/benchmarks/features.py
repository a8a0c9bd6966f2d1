"""From a file to its features: beside the article's path and two peers, in memory, and many files at once."""

import logging
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import bliss_audio
import librosa
import numpy as np
import pymusly
import python_speech_features
import soundfile
import soxr
from matplotlib.figure import Figure

from mfcc_assets.compute.local import WORKERS
from mfcc_assets.core.audio import AudioReader
from mfcc_assets.core.cepstra import compute_cepstra, warm_up
from mfcc_assets.core.parameters import ARTICLE_FFT_SIZE, FeaturesParameters
from mfcc_assets.core.summary import summarise
from mfcc_assets.library import Library
from mfcc_assets.settings import Settings
from mfcc_assets.stages.analysing import COMPUTED, analyse_soundtracks, summarise_soundtracks
from mfcc_assets.stages.observing import observe_soundtracks
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.measuring import Measured, in_turns, of_child
from mfcc_assets_tests.benchmarks.report import Section

RUNS = 3
FORMATS = (
    ("VORBIS", 44_100, 2),
    ("VORBIS", 44_100, 1),
    ("VORBIS", 48_000, 2),
    ("OPUS", 48_000, 2),
    ("MPEG_LAYER_III", 22_050, 2),
)
"""Coding, sample rate and channels of the tracks that are measured."""

SECONDS = 240
"""Of each format the track nearest to this length is taken."""

LOADED_TRACKS = 40

SHORT_MINUTES, LONG_MINUTES = 3, 120
MUSLY_SAMPLE_RATE = 22_050

DECODING, OURS, ARTICLE, BLISS, TIMBRE, MANDEL_ELLIS = (
    "decoding alone",
    "ours",
    "the article's",
    "bliss-audio",
    "musly timbre",
    "musly mandelellis",
)

TIMES_DECODING = 1.6
TIMES_FASTER_THAN_ARTICLE = 5
MEGABYTES_OF_TWO_HOURS = 150
CORES_OF_TWO = 1.8


def measure(corpus: Corpus) -> Section:
    warm_up()
    section = Section("Features")
    with tempfile.TemporaryDirectory(dir=corpus.work) as folder:
        _describe_single_files(section, _costs(corpus, Path(folder)))
        _describe_memory(section, Path(folder))
        _describe_load(section, corpus, Path(folder))
    return section


@dataclass(frozen=True)
class _Cost:
    """What one contestant needs for one file, run by run."""

    seconds: Measured
    cpu_seconds: Measured


def _costs(corpus: Corpus, folder: Path) -> dict[str, dict[str, _Cost]]:
    """By a description of the file and by contestant."""
    contestants = _contestants(corpus.parameters)
    costs = {}
    for path in _files(corpus, folder):
        _decode(path)  # so that no contestant is the one that reads it from the disk
        cpu: dict[str, list[float]] = {name: [] for name in contestants}
        timed = {name: partial(_note_cpu, cpu[name], call, path) for name, call in contestants.items()}
        seconds = in_turns(timed, RUNS)
        costs[_description(path)] = {name: _Cost(seconds[name], Measured(tuple(cpu[name]))) for name in contestants}
    return costs


def _note_cpu(seconds: list[float], call: Callable[[Path], object], path: Path) -> None:
    begun = time.process_time()
    call(path)
    seconds.append(time.process_time() - begun)


def _contestants(parameters: FeaturesParameters) -> Mapping[str, Callable[[Path], object]]:
    def ours(path: Path) -> None:
        blocks = AudioReader(path, parameters.cepstra).blocks()
        summarise(compute_cepstra(blocks, parameters.cepstra), parameters)

    def article(path: Path) -> None:
        signal, rate = librosa.load(path, sr=parameters.cepstra.sample_rate)
        signal = signal[parameters.cepstra.trimmed_samples : -parameters.cepstra.trimmed_samples]
        cepstra = python_speech_features.mfcc(signal / np.abs(signal).max(), rate, nfft=ARTICLE_FFT_SIZE)
        summarise(cepstra.astype(np.float32), parameters)

    def musly(method: str, path: Path) -> None:
        signal, rate = soundfile.read(path, dtype="float32", always_2d=True)
        mono = soxr.resample(signal.mean(axis=1), rate, MUSLY_SAMPLE_RATE)
        jukeboxes[method].track_from_audiodata(mono)

    jukeboxes = {method: pymusly.MuslyJukebox(method, "none") for method in ("timbre", "mandelellis")}
    # python_speech_features says of every track that the article's FFT sees half of each frame.
    logging.getLogger().setLevel(logging.ERROR)
    return {
        DECODING: _decode,
        OURS: ours,
        ARTICLE: article,
        BLISS: lambda path: bliss_audio.Song(str(path)).analysis,
        TIMBRE: partial(musly, "timbre"),
        MANDEL_ELLIS: partial(musly, "mandelellis"),
    }


def _decode(path: Path) -> None:
    soundfile.read(path)


def _files(corpus: Corpus, folder: Path) -> list[Path]:
    """A track of each format, and first an MP3 of 44.1 kHz in stereo: the corpus has none, so it is encoded here."""
    nearest = sorted(corpus.tracks, key=lambda track: abs(track.seconds - SECONDS))
    files: dict[tuple[str, int, int], Path] = {}
    for track in nearest:
        path = corpus.path(track)
        info = soundfile.info(path)
        files.setdefault((info.subtype, info.samplerate, info.channels), path)
    return [_as_mp3(files[FORMATS[0]], folder / "track.mp3"), *(files[wanted] for wanted in FORMATS if wanted in files)]


def _as_mp3(path: Path, target: Path) -> Path:
    with (
        soundfile.SoundFile(path) as source,
        soundfile.SoundFile(target, "w", source.samplerate, source.channels, format="MP3") as file,
    ):
        # libsndfile crashes when it encodes a long MP3 in one call.
        for block in source.blocks(2**15):
            file.write(block)
    return target


def _description(path: Path) -> str:
    info = soundfile.info(path)
    coding = {"MPEG_LAYER_III": "MP3", "VORBIS": "OGG Vorbis", "OPUS": "Opus"}[info.subtype]
    return f"{coding}, {info.samplerate / 1000:g} kHz, {('mono', 'stereo')[info.channels - 1]}, {info.duration:.0f} s"


def _describe_single_files(section: Section, costs: Mapping[str, Mapping[str, _Cost]]) -> None:
    contestants = list(next(iter(costs.values())))
    seconds = {name: sum(cost[name].seconds.median for cost in costs.values()) for name in contestants}
    cpu = {name: sum(cost[name].cpu_seconds.median for cost in costs.values()) for name in contestants}
    worst = max(cost[OURS].seconds.median / cost[DECODING].seconds.median for cost in costs.values())
    faster = {file: cost[ARTICLE].seconds.median / cost[OURS].seconds.median for file, cost in costs.items()}
    faster_in_sum = seconds[ARTICLE] / seconds[OURS]
    slower_than_bliss = {
        file: cost for file, cost in costs.items() if cost[OURS].seconds.median > cost[BLISS].seconds.median
    }
    section.text(
        f"Decoding, cepstra and summary of one file, {len(costs)} files, the median of {RUNS} runs each. *Decoding "
        "alone* is `soundfile.read`. *Ours* decodes in one thread and computes features in another. *The article's* is "
        "`librosa.load` and `python_speech_features.mfcc`, then our summary. bliss-audio decodes by itself, with "
        "threads of its own; musly is given the mix of `soundfile.read` at 22.05 kHz."
    )
    section.table(
        ["seconds", *contestants],
        [
            *([file, *(f"{cost[name].seconds.median:.2f}" for name in contestants)] for file, cost in costs.items()),
            ["**all files**", *(f"**{seconds[name]:.2f}**" for name in contestants)],
            ["times decoding", *(f"{seconds[name] / seconds[DECODING]:.2f}" for name in contestants)],
            ["CPU seconds", *(f"{cpu[name]:.2f}" for name in contestants)],
        ],
    )
    section.text(
        f"- At most {TIMES_DECODING} times decoding: {seconds[OURS] / seconds[DECODING]:.2f} over all files, "
        f"{worst:.2f} for the worst. {_verdict(worst <= TIMES_DECODING)}\n"
        f"- At least {TIMES_FASTER_THAN_ARTICLE} times faster than the article's path: {faster_in_sum:.1f} times "
        f"over all files, {min(faster.values()):.1f} to {max(faster.values()):.1f} a file. "
        f"{_verdict(faster_in_sum >= TIMES_FASTER_THAN_ARTICLE)} Both decode by libsndfile, which bounds the ratio "
        "where decoding is slow.\n"
        f"- No slower than bliss-audio: {seconds[OURS] / seconds[BLISS]:.2f} of its time, {cpu[OURS] / cpu[BLISS]:.2f} "
        f"of its CPU time. {_verdict(not slower_than_bliss)}"
    )
    if slower_than_bliss:
        section.text(
            "Where bliss-audio is faster, we infer from the time of decoding alone that its decoder is: "
            + "; ".join(
                f"{file}: {cost[OURS].seconds} against {cost[BLISS].seconds}, and libsndfile alone takes "
                f"{cost[DECODING].seconds}"
                for file, cost in slower_than_bliss.items()
            )
            + "."
        )
    figure = Figure(figsize=(8, 3))
    axes = figure.subplots()
    positions = np.arange(len(contestants))
    axes.barh(positions - 0.2, [seconds[name] for name in contestants], 0.4, label="seconds")
    axes.barh(positions + 0.2, [cpu[name] for name in contestants], 0.4, label="CPU seconds")
    axes.axvline(TIMES_DECODING * seconds[DECODING], color="black", linestyle=":", label=f"{TIMES_DECODING} × decoding")
    axes.set_yticks(positions, contestants)
    axes.invert_yaxis()
    axes.set_xlabel(f"{len(costs)} files")
    axes.legend()
    section.plot(figure, "features", "From file to features: time and CPU time of all files together.")


_ONE_FILE = """
import sys
from pathlib import Path
from mfcc_assets.core.audio import AudioReader
from mfcc_assets.core.cepstra import compute_cepstra
from mfcc_assets.core.parameters import FeaturesParameters
from mfcc_assets.core.summary import summarise

parameters = FeaturesParameters()
reader = AudioReader(Path(sys.argv[1]), parameters.cepstra)
summarise(compute_cepstra(reader.blocks(), parameters.cepstra), parameters)
"""


def _describe_memory(section: Section, folder: Path) -> None:
    peaks = {}
    for minutes in (SHORT_MINUTES, LONG_MINUTES):
        path = _noise(folder / "noise.wav", minutes)
        peaks[minutes] = of_child(["-c", _ONE_FILE, str(path)]).peak_bytes / 1e6
        path.unlink()
    more = peaks[LONG_MINUTES] - peaks[SHORT_MINUTES]
    section.text(
        f"- A file of {LONG_MINUTES // 60} hours takes at most {MEGABYTES_OF_TWO_HOURS} MB more than one of "
        f"{SHORT_MINUTES} minutes: the process peaks at {peaks[LONG_MINUTES]:.0f} and {peaks[SHORT_MINUTES]:.0f} MB, "
        f"{more:.0f} MB apart. {_verdict(more <= MEGABYTES_OF_TWO_HOURS)} (WAV, 44.1 kHz, mono.)"
    )


def _noise(path: Path, minutes: int) -> Path:
    minute = np.random.default_rng(0).integers(-10_000, 10_000, 60 * 44_100, dtype=np.int16)
    with soundfile.SoundFile(path, "w", 44_100, 1) as file:
        for _ in range(minutes):
            file.write(minute)
    return path


def _describe_load(section: Section, corpus: Corpus, folder: Path) -> None:
    tracks = corpus.tracks[:: max(1, len(corpus.tracks) // LOADED_TRACKS)][:LOADED_TRACKS]
    with Library(Settings(home=folder / "library", settle_seconds=0)) as library:
        for number, track in enumerate(tracks):
            path = corpus.path(track)
            library.blobs.upload_file("soundtracks", f"{number:03}{path.suffix}", path)
        observe_soundtracks(library, library.shards, run_id="load")
        begun, cpu_begun = time.perf_counter(), time.process_time()
        report = analyse_soundtracks(library, library.shards, run_id="load")
        summarise_soundtracks(library, library.shards)
        seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu_begun
    analysed = sum(outcome == COMPUTED for outcome in report.outcomes.values())
    audio = sum(report.seconds.values())
    cores = cpu_seconds / seconds
    section.text(
        f"- A library load keeps all cores busy, {CORES_OF_TWO} of 2: {cores:.2f} of {WORKERS}, over {analysed} tracks "
        f"of {audio / 60:.0f} minutes together, {WORKERS} files at a time, the largest first, with everything that is "
        f"stored. "
        f"{_verdict(cores >= CORES_OF_TWO / 2 * WORKERS)} It took {seconds:.1f} s: "
        f"{60 * analysed / seconds:.0f} tracks a minute, {cpu_seconds / analysed:.2f} CPU seconds a track, "
        f"{audio / seconds:,.0f} times as fast as they play."
    )


def _verdict(met: bool) -> str:
    return "**Met.**" if met else "**Missed.**"
