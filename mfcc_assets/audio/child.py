"""The program of the child processes that read files from outside. `mfcc_assets.audio.child_process` starts them."""

import dataclasses
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.bounds import Bounds, Budget, prepare
from mfcc_assets.audio.child_process import CRASHED_EXIT_CODE, LENGTHS, READY
from mfcc_assets.audio.reader import AudioLimits
from mfcc_assets.errors import AudioError, TooCostly, UnreadableAudio

Message = tuple[dict[str, Any], bytes | NDArray[np.float32]]
"""Header and payload of a message."""


def _read_signal(
    path: Path, subject: str, bounds: Bounds, budget: Budget, *, limits: dict[str, float], **reading: int
) -> Iterator[Message]:
    from mfcc_assets.audio.decoding import SignalOfFile

    signal_of_file = SignalOfFile(path, subject, AudioLimits(**limits), bounds, budget.working)
    for block in signal_of_file.blocks(**reading):
        yield {}, block
    yield dataclasses.asdict(signal_of_file.audio), b""


def _read_audio_id(
    path: Path, subject: str, bounds: Bounds, budget: Budget, *, limits: dict[str, float]
) -> Iterator[Message]:
    from mfcc_assets.audio.decoding import SignalOfFile

    signal_of_file = SignalOfFile(path, subject, AudioLimits(**limits), bounds, budget.working)
    yield {"audio_id": signal_of_file.read_audio_id()}, b""


def _read_beginning(
    path: Path, subject: str, _: Bounds, budget: Budget, *, seconds: float, channels: int
) -> Iterator[Message]:
    from mfcc_assets.audio.decoding import beginning

    samples, sample_rate = beginning(path, subject, seconds, channels, budget.working)
    yield {}, samples
    yield {"channels": samples.shape[1], "sample_rate": sample_rate}, b""


def _read_tags(path: Path, *_: Any) -> Iterator[Message]:
    from mfcc_assets.audio.tags import read_tags

    yield dataclasses.asdict(read_tags(path)), b""


def _read_picture(path: Path, *_: Any) -> Iterator[Message]:
    from mfcc_assets.audio.artwork import embedded_picture

    reasons: list[str] = []
    picture = embedded_picture(path, reasons.append)
    if picture is not None:
        yield {"media_type": picture.media_type}, picture.data
    yield {"left_out": list(dict.fromkeys(reasons))}, b""


def _cut_excerpt(path: Path, *_: Any, begin_seconds: float | None, most_bytes: int) -> Iterator[Message]:
    from mfcc_assets.audio.excerpt import cut_excerpt

    excerpt = dataclasses.asdict(cut_excerpt(path, begin_seconds=begin_seconds, most_bytes=most_bytes))
    yield {}, excerpt.pop("data")
    yield excerpt, b""


TASKS: dict[str, Callable[..., Iterator[Message]]] = {
    "signal": _read_signal,
    "audio id": _read_audio_id,
    "beginning": _read_beginning,
    "tags": _read_tags,
    "picture": _read_picture,
    "excerpt": _cut_excerpt,
}
"""Tasks of a child. Each yields the messages of its answer. The last one has no payload."""


def main() -> None:
    """Answer the requests that come from the standard input until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare()
    # What a library prints must not get between the messages.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    answers.write(READY)
    answers.flush()
    # The decoders are loaded while no file is read, because their memory is not that of a file.
    with suppress(ImportError):  # The first task that needs them says what is missing.
        from mfcc_assets.audio.decoding import start_digesting

        start_digesting()
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests,), daemon=True).start()
    try:
        while True:
            _answer(json.loads(requests.get()), answers)
    except BaseException:  # noqa: BLE001  for example, the answer did not fit into the memory
        os._exit(CRASHED_EXIT_CODE)


def _receive(requests: "queue.SimpleQueue[bytes]") -> None:
    """Pass on the requests, and end this process at once when the parent ends, whatever it is doing."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def _answer(request: dict[str, Any], answers: BinaryIO) -> None:
    bounds = Bounds(**request["bounds"])
    subject = request["subject"]
    budget = Budget(bounds)
    described: dict[str, Any]
    try:
        task = TASKS[request["task"]]
        messages = task(Path(request["path"]), subject, bounds, budget, **request["arguments"])
        message = next(messages)
        for following in messages:
            _send(answers, budget, "part", *message)
            message = following
        _send(answers, budget, "end", *message)
    except AudioError as error:
        described = {"what": error.what, "subject": error.subject, "remedy": error.remedy}
        _send(answers, budget, type(error).__name__, described, b"")
    except OSError as error:
        described = {"errno": error.errno, "strerror": error.strerror, "filename": error.filename}
        _send(answers, budget, "OSError", described, b"")
    except ImportError:
        _send(answers, budget, "defect", {"traceback": traceback.format_exc()}, b"")
    except Exception as error:  # noqa: BLE001  libraries raise many kinds of errors for crafted files
        if _memory_is_used_up(error):
            what = f"reading it takes more than {bounds.memory_bytes >> 20} MB of memory"
            described = {"what": what, "subject": subject, "remedy": "Export the file again as FLAC or MP3"}
            _send(answers, budget, TooCostly.__name__, described, b"")
            return
        described = {"what": f"it cannot be read ({error!r})", "subject": subject, "remedy": "Supply an undamaged file"}
        _send(answers, budget, UnreadableAudio.__name__, described, b"")


def _memory_is_used_up(error: Exception) -> bool:
    # Python has no error of its own for a thread whose stack does not fit into the memory.
    return isinstance(error, MemoryError) or "can't start new thread" in str(error)


def _send(
    answers: BinaryIO, budget: Budget, kind: str, described: dict[str, Any], payload: bytes | NDArray[np.float32]
) -> None:
    budget.waiting()
    header = json.dumps({"kind": kind, **described}).encode()
    # A view, since a copy of each block would cost as much as the pipe.
    content = payload if isinstance(payload, bytes) else np.ascontiguousarray(payload).reshape(-1).view(np.uint8).data
    answers.write(LENGTHS.pack(len(header), len(content)) + header)
    answers.write(content)
    answers.flush()


if __name__ == "__main__":
    main()
