"""Pictures of one track, drawn from its file."""

from pathlib import Path

from mfcc_assets.library import Library
from mfcc_assets.pipeline.track_pictures import pictures_of_audio
from mfcc_assets_tests.audio_samples import music, write_audio, write_music


def test_a_track_has_a_waveform_a_spectrum_and_a_spectrogram(library: Library, tmp_path: Path) -> None:
    song = write_music(tmp_path / "song.flac", 2.0, seed=1, channels=2)
    library.blobs.upload_file("soundtracks", song.name, song)
    pictures = pictures_of_audio(library, song.name)
    assert list(pictures) == ["Waveform", "Spectrum", "Spectrogram"]
    assert all(picture.startswith(b"\x89PNG") for picture in pictures.values())


def test_only_the_beginning_is_drawn(library: Library, tmp_path: Path) -> None:
    signal = music(5.0, seed=1)
    for name, seconds in (("long", 5), ("short", 3)):
        song = write_audio(tmp_path / f"{name}.wav", signal[: seconds * 44_100])
        library.blobs.upload_file("soundtracks", "song.wav", song)
        pictures = pictures_of_audio(library, "song.wav", seconds=3.0)
        (tmp_path / name).write_bytes(b"".join(pictures.values()))
    assert (tmp_path / "long").read_bytes() == (tmp_path / "short").read_bytes()


def test_a_file_that_is_gone_or_unreadable_has_no_pictures(library: Library) -> None:
    library.blobs.write("soundtracks", "notes.flac", b"These are not samples.")
    assert pictures_of_audio(library, "notes.flac") == {}
    assert pictures_of_audio(library, "gone.flac") == {}
