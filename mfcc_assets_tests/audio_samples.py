"""Makes small audio files for tests: tones, and music that sounds different for every seed."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
import soundfile
from numpy.typing import NDArray

# libsndfile crashes when it encodes a long MP3 in one call.
_BLOCK_FRAMES = 2**15


def tone(
    seconds: float, frequency: float = 440.0, amplitude: float = 0.5, sample_rate: int = 44_100
) -> NDArray[np.float64]:
    """Make a sine tone (samples,)."""
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * sample_rate)) / sample_rate)


def music(seconds: float, seed: int, sample_rate: int = 44_100, amplitude: float = 0.5) -> NDArray[np.float64]:
    """Make music (samples,): chords with overtones that decay on each beat, over noise. The seed chooses everything."""
    rng = np.random.default_rng(seed)
    samples = round(seconds * sample_rate)
    time = np.arange(samples) / sample_rate
    beat = rng.uniform(0.25, 0.8)
    since_beat = time % beat
    overtones = np.arange(1, 6)
    brightness = rng.uniform(0.3, 0.9) ** overtones
    root = rng.uniform(80, 320)
    signal = rng.uniform(0.005, 0.05) * rng.standard_normal(samples)
    chords = rng.integers(0, 12, size=(int(seconds / beat) + 1, 3))
    for start, chord in enumerate(chords):
        played = slice(round(start * beat * sample_rate), round((start + 1) * beat * sample_rate))
        for semitone in chord:
            pitches = root * 2 ** (semitone / 12) * overtones
            audible = pitches < sample_rate / 2
            partials = np.sin(2 * np.pi * np.outer(time[played], pitches[audible]))
            signal[played] += partials @ brightness[audible]
    signal *= np.exp(-since_beat * rng.uniform(1, 8)) + 0.05
    return amplitude * signal / np.abs(signal).max(initial=1e-9)


def write_audio(
    path: Path, signal: NDArray[Any], sample_rate: int = 44_100, channels: int = 1, subtype: str | None = None
) -> Path:
    """Write (samples,) into every channel, or (samples, channels) unchanged. The suffix chooses the format."""
    frames = signal if signal.ndim == 2 else np.repeat(signal[:, None], channels, axis=1)
    container, subtype = ("OGG", "OPUS") if path.suffix == ".opus" else (None, subtype)
    with soundfile.SoundFile(path, "w", sample_rate, frames.shape[1], subtype=subtype, format=container) as file:
        for start in range(0, len(frames), _BLOCK_FRAMES):
            file.write(frames[start : start + _BLOCK_FRAMES])
    return path


def write_tone(
    path: Path,
    seconds: float,
    frequency: float = 440.0,
    amplitude: float = 0.5,
    sample_rate: int = 44_100,
    channels: int = 1,
    subtype: str | None = None,
) -> Path:
    """Write a sine tone."""
    return write_audio(path, tone(seconds, frequency, amplitude, sample_rate), sample_rate, channels, subtype)


def write_music(
    path: Path,
    seconds: float,
    seed: int,
    amplitude: float = 0.5,
    sample_rate: int = 44_100,
    channels: int = 1,
    subtype: str | None = None,
) -> Path:
    """Write music that the seed chooses."""
    return write_audio(path, music(seconds, seed, sample_rate, amplitude), sample_rate, channels, subtype)


def retag(path: Path, **tags: str | list[str]) -> None:
    """Change tags of a file without a change of its audio."""
    file = mutagen.File(path, easy=True)
    file.update(tags)
    file.save()


def encode(
    path: Path,
    coding: str,
    signal: np.ndarray,
    sample_rate: int = 48_000,
    container: str | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write (samples,) into both channels by FFmpeg."""
    with av.open(path, "w", container, options or {}) as file:
        (audio_format, *_) = av.Codec(coding, "w").audio_formats or []
        stream = file.add_stream(coding, sample_rate, layout="stereo", format=audio_format, bit_rate=128_000)
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(np.tile(signal, (2, 1)).astype(np.float32), "fltp", "stereo")
        frame.sample_rate, frame.time_base, frame.pts = sample_rate, Fraction(1, sample_rate), 0
        converter = av.AudioResampler(stream.format, "stereo", sample_rate, stream.codec_context.frame_size or 1_024)
        for piece in [*converter.resample(frame), *converter.resample(None), None]:
            file.mux(stream.encode(piece))
    return path
