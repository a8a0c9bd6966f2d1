"""From a file to its features: time compared with the article's method and two peers, memory, and a library load."""

import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
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

from mfcc_assets.audio import reader as audio
from mfcc_assets.audio.decoders import open_decoder
from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.compute.local import WORKERS
from mfcc_assets.features.mfcc import warm_up
from mfcc_assets.features.parameters import ARTICLE_FFT_SIZE, FeaturesParameters
from mfcc_assets.features.timbre import COEFFICIENTS, timbre_vector
from mfcc_assets.features.track_features import Analysis, analyse, track_features_of
from mfcc_assets.library import Library
from mfcc_assets.pipeline.observe import observe_soundtracks
from mfcc_assets.pipeline.soundtracks import (
    COMPUTED,
    analyse_soundtracks,
    compute_features_of_soundtracks,
)
from mfcc_assets.settings import Settings
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.measuring import Measured, cpu_seconds, in_turns, of_child
from mfcc_assets_tests.benchmarks.report import Section

RUNS = 2
FORMATS = (
    ("VORBIS", 44_100, 2),
    ("VORBIS", 44_100, 1),
    ("VORBIS", 48_000, 2),
    ("OPUS", 48_000, 2),
    ("MPEG_LAYER_III", 22_050, 2),
)
"""Coding, sample rate and channels of the tracks that are measured."""

SECONDS = 240
"""For each format, the track nearest to this length is measured."""

SAMPLED_TRACKS = 12
LOADED_TRACKS = 40

SHORT_MINUTES, LONG_MINUTES = 3, 120
MUSLY_SAMPLE_RATE = 22_050

DECODING, OURS, ARTICLE, BLISS, TIMBRE = ("decoding alone", "ours", "the article's", "bliss-audio", "musly timbre")

TIMES_DECODING = 1.25
TIMES_FASTER_THAN_ARTICLE = 5
MEGABYTES_OF_TWO_HOURS = 150
CORES_OF_TWO = 1.8
TRACKS_A_MINUTE = 300


def measure(corpus: Corpus) -> Section:
    warm_up()
    # The first call imports the FFT, which must not count for any file.
    timbre_vector(np.zeros((1, COEFFICIENTS), np.float32))
    section = Section("Features")
    with tempfile.TemporaryDirectory(dir=corpus.work) as folder:
        contestants = _contestants(corpus.parameters)
        _describe_single_files(
            section, {_description(path): _cost(contestants, [path]) for path in _files(corpus, Path(folder))}
        )
        _describe_sample(section, _sample(corpus), contestants)
        section.text(_memory(Path(folder)) + "\n" + _load(corpus, Path(folder)))
    return section


@dataclass(frozen=True)
class _Cost:
    """The time and the CPU time that one contestant takes for some files in each run."""

    seconds: Measured
    cpu_seconds: Measured


def _cost(contestants: Mapping[str, Callable[[Path], object]], paths: Sequence[Path]) -> dict[str, _Cost]:
    for path in paths:
        path.read_bytes()  # then no contestant reads it from the disk
    cpu: dict[str, list[float]] = {name: [] for name in contestants}
    timed = {name: partial(_note_cpu, cpu[name], call, paths) for name, call in contestants.items()}
    seconds = in_turns(timed, RUNS)
    return {name: _Cost(seconds[name], Measured(tuple(cpu[name]))) for name in contestants}


def _note_cpu(seconds: list[float], call: Callable[[Path], object], paths: Sequence[Path]) -> None:
    begun = cpu_seconds()
    for path in paths:
        call(path)
    seconds.append(cpu_seconds() - begun)


def _contestants(parameters: FeaturesParameters) -> Mapping[str, Callable[[Path], object]]:
    def ours(path: Path) -> None:
        blocks = AudioReader(path, parameters.cepstra.sample_rate, parameters.cepstra.trimmed_samples).blocks()
        track_features_of(analyse(blocks, parameters.cepstra), parameters)

    def article(path: Path) -> None:
        signal, rate = librosa.load(path, sr=parameters.cepstra.sample_rate)
        signal = signal[parameters.cepstra.trimmed_samples : -parameters.cepstra.trimmed_samples]
        signal /= np.abs(signal).max()
        finer = python_speech_features.mfcc(signal, rate, numcep=COEFFICIENTS, nfft=ARTICLE_FFT_SIZE)
        analysis = Analysis.of_cepstra(finer.astype(np.float32), parameters.cepstra.coefficients)
        track_features_of(analysis, parameters)

    def timbre(path: Path) -> None:
        signal, rate = soundfile.read(path, dtype="float32", always_2d=True)
        mono = soxr.resample(signal.mean(axis=1), rate, MUSLY_SAMPLE_RATE)
        jukebox.track_from_audiodata(mono)

    jukebox = pymusly.MuslyJukebox("timbre", "none")
    # python_speech_features warns for every track that the article's FFT is shorter than a frame.
    logging.getLogger().setLevel(logging.ERROR)
    return {
        DECODING: _decode,
        OURS: ours,
        ARTICLE: article,
        BLISS: lambda path: bliss_audio.Song(str(path)).analysis,
        TIMBRE: timbre,
    }


def _decode(path: Path) -> None:
    with closing(open_decoder(path, path.name)) as decoder:
        while len(decoder.read(audio.BLOCK_SAMPLES // decoder.channels)):
            pass


def _sample(corpus: Corpus) -> list[Path]:
    """Return tracks that are evenly spaced over the corpus."""
    places = [(2 * number + 1) * len(corpus.tracks) // (2 * SAMPLED_TRACKS) for number in range(SAMPLED_TRACKS)]
    return [corpus.path(corpus.tracks[place]) for place in places]


def _files(corpus: Corpus, folder: Path) -> list[Path]:
    """Return one track per format, after an MP3 of 44.1 kHz in stereo. The corpus has none, so it is encoded here."""
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
    channels = ("mono", "stereo")[info.channels - 1]
    return f"{_coding(path)}, {info.samplerate / 1000:g} kHz, {channels}, {info.duration:.0f} s"


def _coding(path: Path) -> str:
    info = soundfile.info(path)
    return {"MPEG_LAYER_III": "MP3", "VORBIS": "OGG Vorbis", "OPUS": "Opus"}.get(info.subtype, info.format)


def _describe_single_files(section: Section, costs: Mapping[str, Mapping[str, _Cost]]) -> None:
    contestants = list(next(iter(costs.values())))
    section.text(
        f"The first table shows decoding and all features of one file of each format, as the median of {RUNS} runs. "
        "The verdicts below use a sample of the corpus instead. *Decoding alone* reads every block from the decoder "
        "that the engine uses (FFmpeg for Opus, libsndfile for the others) and discards it. *Ours* decodes in a child "
        "process, as every file is read, and computes features meanwhile. *The article's* uses `librosa.load` and "
        f"`python_speech_features.mfcc` with {COEFFICIENTS} coefficients, as ours, and then our timbre and track "
        "features. bliss-audio decodes by itself in its own threads. musly receives the mix of `soundfile.read` at "
        "22.05 kHz."
    )
    section.table(
        ["seconds", *contestants],
        [[file, *(f"{cost[name].seconds.median:.2f}" for name in contestants)] for file, cost in costs.items()],
    )


def _describe_sample(
    section: Section, paths: Sequence[Path], contestants: Mapping[str, Callable[[Path], object]]
) -> None:
    cost = _cost(contestants, paths)
    seconds = {name: cost[name].seconds.median for name in contestants}
    cpu = {name: cost[name].cpu_seconds.median for name in contestants}
    codings = Counter(_coding(path) for path in paths)
    minutes = sum(soundfile.info(path).duration for path in paths) / 60
    section.text(
        f"The second table uses {len(paths)} tracks, evenly spaced over the corpus, with {minutes:.0f} minutes of "
        f"{', '.join(f'{coding} ({count})' for coding, count in codings.most_common())}. Each contestant processes all "
        f"of them, one after another, in {RUNS} turns. The figures are medians of these totals."
    )
    section.table(
        ["", *contestants],
        [
            ["seconds in all", *(str(cost[name].seconds) for name in contestants)],
            ["mean seconds per track", *(f"{seconds[name] / len(paths):.3f}" for name in contestants)],
            ["times decoding", *(f"{seconds[name] / seconds[DECODING]:.2f}" for name in contestants)],
            ["CPU seconds in all", *(str(cost[name].cpu_seconds) for name in contestants)],
        ],
    )
    times_decoding = seconds[OURS] / seconds[DECODING]
    faster = seconds[ARTICLE] / seconds[OURS]
    section.text(
        f"- At most {TIMES_DECODING} times the time of decoding: {times_decoding:.2f}. "
        f"{_verdict(times_decoding <= TIMES_DECODING)}\n"
        f"- At least {TIMES_FASTER_THAN_ARTICLE} times faster than the article's method: {faster:.1f} times. "
        f"{_verdict(faster >= TIMES_FASTER_THAN_ARTICLE)}\n"
        f"- No slower than bliss-audio: {seconds[OURS] / len(paths):.3f} s per track, compared with "
        f"{seconds[BLISS] / len(paths):.3f} s. Ours takes {seconds[OURS] / seconds[BLISS]:.2f} of its time and "
        f"{cpu[OURS] / cpu[BLISS]:.2f} of its CPU time. {_verdict(seconds[OURS] <= seconds[BLISS])}"
    )
    figure = Figure(figsize=(8, 3))
    axes = figure.subplots()
    positions = np.arange(len(contestants))
    axes.barh(positions - 0.2, list(seconds.values()), 0.4, label="seconds")
    axes.barh(positions + 0.2, list(cpu.values()), 0.4, label="CPU seconds")
    axes.axvline(TIMES_DECODING * seconds[DECODING], color="black", linestyle=":", label=f"{TIMES_DECODING} × decoding")
    axes.set_yticks(positions, list(contestants))
    axes.invert_yaxis()
    axes.set_xlabel(f"{len(paths)} tracks")
    axes.legend()
    section.plot(figure, "features", "Time and CPU time from the file to its features, for the sample of the corpus.")


_ONE_FILE = """
import sys
from pathlib import Path
from mfcc_assets.features.track_features import analyse
from mfcc_assets.audio.reader import AudioReader
from mfcc_assets.features.parameters import FeaturesParameters
from mfcc_assets.features.track_features import track_features_of

parameters = FeaturesParameters()
reader = AudioReader(Path(sys.argv[1]), parameters.cepstra.sample_rate, parameters.cepstra.trimmed_samples)
track_features_of(analyse(reader.blocks(), parameters.cepstra), parameters)
"""


def _memory(folder: Path) -> str:
    peaks = {}
    for minutes in (SHORT_MINUTES, LONG_MINUTES):
        path = _noise(folder / "noise.wav", minutes)
        peaks[minutes] = of_child(["-c", _ONE_FILE, str(path)]).peak_bytes / 1e6
        path.unlink()
    more = peaks[LONG_MINUTES] - peaks[SHORT_MINUTES]
    return (
        f"- A file of {LONG_MINUTES // 60} hours takes at most {MEGABYTES_OF_TWO_HOURS} MB more memory than a file of "
        f"{SHORT_MINUTES} minutes: the processes peak at {peaks[LONG_MINUTES]:.0f} and {peaks[SHORT_MINUTES]:.0f} MB, "
        f"a difference of {more:.0f} MB (WAV, 44.1 kHz, mono). {_verdict(more <= MEGABYTES_OF_TWO_HOURS)}"
    )


def _noise(path: Path, minutes: int) -> Path:
    minute = np.random.default_rng(0).integers(-10_000, 10_000, 60 * 44_100, dtype=np.int16)
    with soundfile.SoundFile(path, "w", 44_100, 1) as file:
        for _ in range(minutes):
            file.write(minute)
    return path


def _load(corpus: Corpus, folder: Path) -> str:
    tracks = corpus.tracks[:: max(1, len(corpus.tracks) // LOADED_TRACKS)][:LOADED_TRACKS]
    with Library(Settings(home=folder / "library", settle_seconds=0)) as library:
        for number, track in enumerate(tracks):
            path = corpus.path(track)
            library.blobs.upload_file("soundtracks", f"{number:03}{path.suffix}", path)
        observe_soundtracks(library, library.shards, run_id="load")
        begun, cpu_begun = time.perf_counter(), cpu_seconds()
        report = analyse_soundtracks(library, library.shards, run_id="load")
        compute_features_of_soundtracks(library, library.shards)
        seconds, cpu_taken = time.perf_counter() - begun, cpu_seconds() - cpu_begun
    analysed = sum(outcome == COMPUTED for outcome in report.outcomes.values())
    played = sum(report.seconds.values())
    cores = cpu_taken / seconds
    a_minute = 60 * analysed / seconds
    return (
        f"- Loading a library uses at least {CORES_OF_TWO} of 2 cores: {cores:.2f} of {WORKERS}. "
        f"{_verdict(cores >= CORES_OF_TWO / 2 * WORKERS)} The load analysed {analysed} tracks with {played / 60:.0f} "
        f"minutes of audio, {WORKERS} files at a time and the largest first, and stored all results. It took "
        f"{seconds:.1f} s, {cpu_taken / analysed:.2f} CPU seconds per track, and was {played / seconds:,.0f} times "
        "faster than playing them. "
        f"At least {TRACKS_A_MINUTE} tracks a minute: {a_minute:.0f}. {_verdict(a_minute >= TRACKS_A_MINUTE)}"
    )


def _verdict(met: bool) -> str:
    return "**Met.**" if met else "**Missed.**"
