"""Which decoder is the quickest for each format, and which of them give equal cepstra."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import av
import miniaudio
import numpy as np
import soundfile
from numpy.typing import NDArray

from mfcc_assets.audio.decoders import Decoder, open_decoder
from mfcc_assets.audio.ffmpeg import FFmpeg
from mfcc_assets.audio.reader import BLOCK_SAMPLES
from mfcc_assets.audio.sndfile import Libsndfile
from mfcc_assets.features.mfcc import compute_cepstra
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.measuring import Measured
from mfcc_assets_tests.benchmarks.report import Section

SECONDS, SAMPLE_RATE = 120, 44_100
RUNS = 5
LARGEST_DIFFERENCE = 1e-3
DAMAGED_BYTES = 64

OURS, LIBSNDFILE, FFMPEG, FFMPEG_THREADS, MINIAUDIO = (
    "this package",
    "libsndfile",
    "FFmpeg",
    "FFmpeg, threads of its codecs",
    "miniaudio",
)
FORMATS = {"wav": "WAV", "flac": "FLAC", "mp3": "MP3", "ogg": "Ogg", "opus": "Ogg", "m4a": "MP4"}
CHECKED = ("flac", "ogg")
"""Formats with a checksum of each piece."""

Blocks = Iterator[NDArray[np.float32]]


def measure(corpus: Corpus) -> Section:
    section = Section("Decoders")
    with tempfile.TemporaryDirectory(dir=corpus.work) as folder:
        paths = _files(corpus, Path(folder))
        rows = [row for suffix, path in paths.items() for row in _rows(suffix, path)]
        damaged = [row for suffix in CHECKED for row in _damaged_rows(suffix, paths[suffix])]
    section.text(
        f"The first {SECONDS} s of a track of the corpus in stereo, encoded in each format. Each contestant decodes "
        f"the file to float32 in this process and discards the blocks, {RUNS} times in turns. The figures are CPU "
        "seconds, which include those of threads. *This package* chooses one of the others for the format, and looks "
        "through the file for others that are joined to it. The cepstra are compared with those of this package. "
        f"Decoders are equal if none differs by more than {LARGEST_DIFFERENCE:g}."
    )
    section.table(("format", "decoder", "CPU seconds", "times the quickest", "largest difference of cepstra"), rows)
    section.text(
        f"The quickest decoder is not always fit for use. In the next table, {DAMAGED_BYTES} bytes in the middle of a "
        "file are zeros. A decoder that checks what it decodes leaves something out, or stops there. One that does not "
        "check it decodes noise, and nobody learns that the file is damaged."
    )
    section.table(("format", "decoder", "frames decoded, of those of the intact file", "largest sample"), damaged)
    return section


def _files(corpus: Corpus, folder: Path) -> dict[str, Path]:
    track = next(
        track
        for track in corpus.tracks
        if (info := soundfile.info(corpus.path(track))).samplerate == SAMPLE_RATE
        and info.channels == 2
        and info.duration > SECONDS
    )
    samples, _ = soundfile.read(corpus.path(track), frames=SECONDS * SAMPLE_RATE, dtype="float32")
    paths = {suffix: folder / f"music.{suffix}" for suffix in FORMATS}
    for suffix in ("wav", "flac", "mp3", "ogg"):
        with soundfile.SoundFile(paths[suffix], "w", SAMPLE_RATE, 2) as file:
            for start in range(0, len(samples), 2**12):  # libsndfile crashes if it gets all of Vorbis at once
                file.write(samples[start : start + 2**12])
    _encode(samples, paths["opus"], "libopus", 48_000, 128_000)
    _encode(samples, paths["m4a"], "aac", SAMPLE_RATE, 160_000)
    return paths


def _encode(samples: NDArray[np.float32], path: Path, codec: str, rate: int, bit_rate: int) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate, stream.layout = bit_rate, "stereo"
        stream.codec_context.open()
        converter = av.AudioResampler(stream.format.name, "stereo", rate, frame_size=stream.codec_context.frame_size)
        for start in range(0, len(samples), SAMPLE_RATE):
            second = (samples[start : start + SAMPLE_RATE].clip(-1, 1) * 32_767).astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(second, format="s16", layout="stereo")
            frame.sample_rate = SAMPLE_RATE
            for converted in converter.resample(frame):
                container.mux(stream.encode(converted))
        for converted in converter.resample(None):
            container.mux(stream.encode(converted))
        container.mux(stream.encode(None))


def _contestants(suffix: str, path: Path) -> Mapping[str, Callable[[], Blocks]]:
    found: dict[str, Callable[[], Blocks]] = {
        OURS: partial(_decoded, lambda: open_decoder(path, path.name)),
        FFMPEG: partial(_decoded, lambda: FFmpeg(path, FORMATS[suffix], [])),
        FFMPEG_THREADS: partial(_decoded_in_threads, path),
    }
    if suffix != "m4a":
        found[LIBSNDFILE] = partial(_decoded, lambda: Libsndfile(path))
    if suffix not in ("m4a", "opus"):
        found[MINIAUDIO] = partial(_decoded_by_miniaudio, path)
    return found


def _decoded(open_it: Callable[[], Decoder]) -> Blocks:
    with closing(open_it()) as decoder:
        while len(block := decoder.read(BLOCK_SAMPLES // 2)):
            yield block


def _decoded_in_threads(path: Path) -> Blocks:
    with av.open(path) as container:
        stream = container.streams.audio[0]
        stream.codec_context.thread_type = "AUTO"
        converter = av.AudioResampler("flt", "stereo", stream.rate, frame_size=2**14)
        for frame in container.decode(stream):
            for converted in converter.resample(frame):
                yield np.asarray(converted.to_ndarray(), np.float32).reshape(-1, 2)
        for converted in converter.resample(None):
            yield np.asarray(converted.to_ndarray(), np.float32).reshape(-1, 2)


def _decoded_by_miniaudio(path: Path) -> Blocks:
    stream = miniaudio.stream_file(
        str(path), miniaudio.SampleFormat.FLOAT32, 2, SAMPLE_RATE, frames_to_read=BLOCK_SAMPLES // 2
    )
    for block in stream:
        yield np.frombuffer(block, np.float32).reshape(-1, 2)


def _rows(suffix: str, path: Path) -> Iterator[tuple[object, ...]]:
    contestants = _contestants(suffix, path)
    cepstra = {name: _cepstra(blocks()) for name, blocks in contestants.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(RUNS):
        for name, blocks in contestants.items():
            begun = time.process_time()
            for _ in blocks():
                pass
            seconds[name].append(time.process_time() - begun)
    quickest = min(map(min, seconds.values()))
    for name, taken in sorted(seconds.items(), key=lambda item: min(item[1])):
        frames = min(len(cepstra[name]), len(cepstra[OURS]))
        difference = np.abs(cepstra[name][:frames] - cepstra[OURS][:frames]).max()
        yield suffix, name, Measured(tuple(taken)), f"{min(taken) / quickest:.2f}", f"{difference:.1e}"


def _cepstra(blocks: Blocks) -> NDArray[np.float32]:
    return compute_cepstra((block.mean(axis=1) for block in blocks), CepstraParameters())


def _damaged_rows(suffix: str, path: Path) -> Iterator[tuple[object, ...]]:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + DAMAGED_BYTES] = bytes(DAMAGED_BYTES)
    damaged = path.with_name(f"damaged.{suffix}")
    damaged.write_bytes(content)
    for name, blocks in _contestants(suffix, damaged).items():
        if name != FFMPEG_THREADS:
            decoded = list(blocks())
            yield suffix, name, f"{sum(map(len, decoded)):,}", f"{max(np.abs(block).max() for block in decoded):.2f}"
