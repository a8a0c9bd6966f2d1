"""Tests of the child processes that read files: their limits, their end, and what they cannot see."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from mfcc_assets.audio.bounds import Bounds
from mfcc_assets.audio.reader import AudioLimits, AudioReader, read_audio_id
from mfcc_assets.errors import StoreError, TooCostly, UnreadableAudio
from mfcc_assets_tests.audio_samples import write_audio, write_tone
from mfcc_assets_tests.services.processes import REPOSITORY

NO_SECONDS = Bounds(cpu_seconds=0, cpu_share=0, samples=1 << 62)
"""Bounds that end the reading of any file that takes more than a second of computing."""

UNLIMITED = AudioLimits(max_seconds=1e9)

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps this bound, or tells it by /proc")


def endless(path: Path) -> Path:
    """Write a WAV of 10 GB of silence that takes hardly any space."""
    write_audio(path, np.zeros(10))
    header = bytearray(path.read_bytes())
    place = header.index(b"data") + 4
    header[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(header)
    os.truncate(path, 4 << 30)
    return path


def children(pid: int) -> list[int]:
    """Return the ids of the processes that read files for a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"mfcc_assets.audio.child" in (stat.parent / "cmdline").read_bytes():
                found.append(int(stat.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@linux
def test_a_file_that_takes_too_much_computing_is_refused_and_the_next_one_is_read(tmp_path: Path) -> None:
    with pytest.raises(TooCostly, match="takes far too much computing") as caught:
        read_audio_id(endless(tmp_path / "endless.wav"), UNLIMITED, bounds=NO_SECONDS)
    assert caught.value.subject == "endless.wav"
    assert caught.value.remedy
    read_audio_id(write_tone(tmp_path / "song.wav", 2))


@linux
def test_computing_is_allowed_for_each_second_of_audio(tmp_path: Path) -> None:
    bounds = Bounds(cpu_seconds=0, cpu_share=1, samples=1 << 62)
    reader = AudioReader(endless(tmp_path / "endless.wav"), 44_100, 0, UNLIMITED, bounds=bounds)
    blocks = reader.blocks()
    seconds = sum(len(next(blocks)) for _ in range(600)) / 44_100
    blocks.close()
    assert seconds > 1_000


def test_a_file_of_far_too_many_samples_for_its_size_is_refused(tmp_path: Path) -> None:
    path = write_audio(tmp_path / "constant.flac", np.full((200_000, 8), 0.25), sample_rate=192_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(TooCostly, match="too many for its size"):
        read_audio_id(path, bounds=Bounds(samples=1_000_000, samples_per_byte=10))


@linux
def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_one_is_read(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "song.wav", 60)
    with pytest.raises(TooCostly, match="more than 8 MB of memory"):
        list(AudioReader(path, 44_100, 0, block_samples=1 << 23, bounds=Bounds(memory_bytes=8 << 20)).blocks())
    assert list(AudioReader(path, 44_100, 0, block_samples=1 << 23).blocks())


@linux
def test_a_child_that_took_too_much_memory_is_not_kept(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "song.wav", 60)
    read_audio_id(path)
    before = set(children(os.getpid()))
    with pytest.raises(TooCostly):
        list(AudioReader(path, 44_100, 0, block_samples=1 << 23, bounds=Bounds(memory_bytes=8 << 20)).blocks())
    assert len(before - set(children(os.getpid()))) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_a_file_that_never_arrives_is_given_up_and_is_no_reject(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "song.mp3")
    with pytest.raises(StoreError, match=r"song\.mp3: nothing of the file could be read for 0\.5 s\. Check"):
        read_audio_id(tmp_path / "song.mp3", bounds=Bounds(waiting_seconds=0.5))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_a_file_that_never_arrives_is_given_up_also_in_a_process_that_ignores_alarms(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "song.mp3")
    program = (
        "import signal; from pathlib import Path; from mfcc_assets.audio.bounds import Bounds;"
        "from mfcc_assets.audio.reader import read_audio_id;"
        "signal.signal(signal.SIGALRM, signal.SIG_IGN); signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM});"
        f"read_audio_id(Path({str(tmp_path / 'song.mp3')!r}), bounds=Bounds(waiting_seconds=0.5))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert "nothing of the file could be read" in ended.stderr


@linux
def test_other_files_do_not_wait_for_one_that_takes_long(tmp_path: Path) -> None:
    path, song = endless(tmp_path / "endless.wav"), write_tone(tmp_path / "song.wav", 2)

    def refused() -> None:
        with pytest.raises(TooCostly):
            read_audio_id(path, UNLIMITED, bounds=Bounds(cpu_seconds=2, cpu_share=0, samples=1 << 62))

    thread = threading.Thread(target=refused)
    thread.start()
    read_audio_id(song)
    assert thread.is_alive()
    thread.join()


@linux
def test_a_child_that_somebody_ended_is_no_fault_of_the_file(tmp_path: Path) -> None:
    reader = AudioReader(endless(tmp_path / "endless.wav"), 44_100, 0, UNLIMITED, bounds=Bounds(samples=1 << 62))
    before = set(children(os.getpid()))
    idle = [AudioReader(write_tone(tmp_path / f"{n}.wav", 5), 44_100, 0, block_samples=4_410).blocks() for n in before]
    for blocks in idle:
        next(blocks)
    blocks = reader.blocks()
    next(blocks)
    (busy,) = set(children(os.getpid())) - before
    os.kill(busy, signal.SIGKILL)
    with pytest.raises(StoreError, match=r"endless\.wav: the process that reads the file was ended"):
        list(blocks)
    for blocks in idle:
        blocks.close()
    read_audio_id(write_tone(tmp_path / "song.wav", 2))


@linux
def test_an_error_that_nobody_caught_in_a_child_is_not_taken_for_a_disk_that_does_not_answer(tmp_path: Path) -> None:
    no_number = Bounds(cpu_seconds=float("nan"))
    with pytest.raises(UnreadableAudio, match=r"song\.wav: its decoder crashed"):
        read_audio_id(write_tone(tmp_path / "song.wav", 2), bounds=no_number)


PARENT = """
import os, socket, sys, time
from pathlib import Path
from mfcc_assets.audio.bounds import Bounds
from mfcc_assets.audio.reader import AudioLimits, AudioReader
listener = socket.create_server(("127.0.0.1", 0))
limits, bounds = AudioLimits(max_seconds=1e9), Bounds(samples=1 << 62)
blocks = AudioReader(Path(sys.argv[1]), 44_100, 0, limits, bounds=bounds).blocks()
next(blocks)
print("reading", flush=True)
time.sleep(60)
"""


@linux
def test_a_child_knows_no_secret_has_no_socket_and_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    path = endless(tmp_path / "endless.wav")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "MFCC_SIGNING_KEY": "told to nobody", "PYTHONPATH": str(REPOSITORY)},
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"reading\n"
    (child,) = children(parent.pid)
    assert b"told to nobody" not in Path(f"/proc/{child}/environ").read_bytes()
    opened = [link.readlink().name for link in Path(f"/proc/{child}/fd").iterdir()]
    assert not any(name.startswith("socket:") for name in opened)

    parent.kill()
    parent.communicate()

    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{child}").exists()


@linux
def test_children_are_kept_for_the_next_file(tmp_path: Path) -> None:
    path = write_tone(tmp_path / "song.wav", 2)
    read_audio_id(path)
    before = children(os.getpid())
    read_audio_id(path)
    assert children(os.getpid()) == before
