"""Child processes that read files from outside, under limits, and can be ended.

A crafted file can make a decoder run for hours, take all memory or crash. So files are read by child processes, which
keep themselves within `Bounds`. Children are started when they are needed, and are kept for the next file. A child has
no secrets in its environment and no open files but its two pipes. It ends when its parent ends, however that happens.

A request is a line of JSON. A message of the answer is a header in JSON, preceded by the lengths of header and payload
as two integers of 32 bits, and followed by the payload as bytes. Nothing that a child sends can run code in the parent.

NumPy is imported after the first child was started, because a child takes about as long to start.
"""

import atexit
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mfcc_assets import errors
from mfcc_assets.audio.bounds import Bounds
from mfcc_assets.errors import AudioError, StoreError, TooCostly, UnreadableAudio

if TYPE_CHECKING:
    from io import BufferedReader

    import numpy as np
    from numpy.typing import NDArray

LENGTHS = struct.Struct(">II")
"""Lengths of header and payload in front of each message."""

READY = b"ready"
"""What a child sends first."""

Message = tuple[dict[str, Any], "NDArray[np.uint8]"]
"""Header and payload of one message of a child."""

_MODULE = "mfcc_assets.audio.child"

_PIPE_BYTES = 1 << 20
"""Bytes that a child may send ahead of its parent: four blocks of one channel. So it decodes while the parent works."""

_MOST_IDLE = os.cpu_count() or 1

CRASHED_EXIT_CODE = 2
"""Exit code of a child that an uncaught error ended. Python's own would be that of faulthandler."""

# Exit codes of a child that the system ended. Windows lacks the signals. There the first is that of faulthandler.
_WAITED_TOO_LONG = {-signal.SIGALRM if sys.platform != "win32" else 1}
_TOO_MUCH_COMPUTING = {-getattr(signal, name) for name in ("SIGXCPU",) if hasattr(signal, name)}
_ENDED_FROM_OUTSIDE = {-getattr(signal, name) for name in ("SIGKILL", "SIGTERM") if hasattr(signal, name)}

_idle: list["_Child"] = []


class _Child:
    """One child process. It serves one request after another."""

    def __init__(self) -> None:
        folder = str(Path(errors.__file__).parents[1])
        search_path = os.pathsep.join([folder, *filter(None, sys.path)])
        self._process = subprocess.Popen(
            # The search path is given, so the files of site-packages that extend it need not be read.
            [sys.executable, "-S", "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": search_path, **_ENVIRONMENT},
            # Ctrl+C in a terminal goes to all processes of a session. The parent ends the child itself.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests = self._process.stdin
        self._answers = cast("BufferedReader", self._process.stdout)
        self.is_free = True
        _widen(self._answers.fileno())
        self._is_ready = False

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def send(self, request: dict[str, Any]) -> None:
        self.is_free = False
        self._wait_until_ready()
        with suppress(BrokenPipeError):  # the missing answer says that the child is dead
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()

    def _wait_until_ready(self) -> None:
        if not self._is_ready and self._answers.read(len(READY)) != READY:
            self.end()
            raise RuntimeError(f"the process that reads files cannot start: python -m {_MODULE} shows why")
        self._is_ready = True

    def receive(self, subject: str, bounds: Bounds) -> Message:
        import numpy as np

        lengths = self._answers.read(LENGTHS.size)
        if len(lengths) == LENGTHS.size:
            header_bytes, payload_bytes = LENGTHS.unpack(lengths)
            header, payload = self._answers.read(header_bytes), np.empty(payload_bytes, np.uint8)
            # The payload is received in place, since a copy of each block would cost as much as the pipe.
            if len(header) == header_bytes and self._answers.readinto(payload.data) == payload_bytes:
                return json.loads(header), payload
        raise _end_of_child(self._process.wait(), subject, bounds)

    def end(self) -> None:
        """End the process at once, also if it hangs."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """Close the pipes. An idle child then ends itself."""
        with suppress(BrokenPipeError):
            self._requests.close()
        self._answers.close()
        self._process.wait()


def start_child() -> None:
    """Start a child process if none is idle, so that the next request need not wait until it has started."""
    if not _idle:
        _idle.append(_Child())


def ask_child(
    task: str, path: Path, subject: str, bounds: Bounds, **arguments: Any
) -> Generator[Message, None, dict[str, Any]]:
    """Let a child process read a file.

    Parameters
    ----------
    task
        Name of the task, one of `mfcc_assets.audio.child.TASKS`.
    path
        The file.
    subject
        Name of the file in errors.
    bounds
        What the reading may cost.
    arguments
        Further arguments of the task, which JSON can hold.

    Yields
    ------
    tuple
        Header and payload of each message but the last.

    Returns
    -------
    dict
        Header of the last message.

    Raises
    ------
    AudioError
        If the audio cannot be used. `TooCostly` if reading the file exceeds the bounds, and `UnreadableAudio` if a
        decoder crashes.
    OSError
        If the file cannot be opened.
    StoreError
        If nothing of the file could be read for long, or somebody else ended the child process.
    """
    with _lent_child() as child:
        child.send(
            {
                "task": task,
                "path": str(path.absolute()),
                "subject": subject,
                "bounds": asdict(bounds),
                "arguments": arguments,
            }
        )
        while True:
            header, payload = child.receive(subject, bounds)
            kind = header.pop("kind")
            if kind == "part":
                yield header, payload
                continue
            # The libraries of a child that took too much memory may keep some of it.
            child.is_free = kind != TooCostly.__name__
            if kind == "end":
                return header
            raise _error_of(kind, header)


def answer_of_child(task: str, path: Path, subject: str, bounds: Bounds, **arguments: Any) -> list[Message]:
    """Let a child process read a file, and return all messages. The parameters and errors are those of `ask_child`."""
    import numpy as np

    messages: list[Message] = []
    conversation = ask_child(task, path, subject, bounds, **arguments)
    while True:
        try:
            messages.append(next(conversation))
        except StopIteration as end:
            return [*messages, (end.value, np.empty(0, np.uint8))]


@contextmanager
def _lent_child() -> Iterator[_Child]:
    child = _idle_child() or _Child()
    try:
        yield child
    finally:
        if child.is_free and len(_idle) < _MOST_IDLE:
            _idle.append(child)
        else:
            child.end()


def _idle_child() -> _Child | None:
    while _idle:
        with suppress(IndexError):  # another thread was faster
            child = _idle.pop()
            if child.is_alive:
                return child
            child.close()
    return None


def _end_of_child(code: int, subject: str, bounds: Bounds) -> Exception:
    if code in _TOO_MUCH_COMPUTING:
        return TooCostly(
            "reading it takes far too much computing",
            subject=subject,
            remedy="Export the file again as FLAC or MP3",
        )
    if code in _WAITED_TOO_LONG:
        # A disk that does not answer is not the fault of the file, so it is no reject.
        return StoreError(
            f"nothing of the file could be read for {bounds.waiting_seconds:g} s",
            subject=subject,
            remedy="Check the disk or the network drive, and try again",
        )
    if code in _ENDED_FROM_OUTSIDE:
        return StoreError(
            "the process that reads the file was ended from outside",
            subject=subject,
            remedy="Try again. If it happens again, see whether the machine has too little memory",
        )
    return UnreadableAudio("its decoder crashed", subject=subject, remedy="Supply an undamaged file")


def _error_of(kind: str, header: dict[str, Any]) -> Exception:
    if kind == "OSError":
        return OSError(header["errno"], header["strerror"], header["filename"])
    if kind == "defect":
        return RuntimeError(header["traceback"])
    error: type[AudioError] = getattr(errors, kind)
    return error(header["what"], subject=header["subject"], remedy=header["remedy"])


def _widen(pipe: int) -> None:
    """Let a pipe hold more bytes, where the system can do that. A shorter pipe is slower, but works."""
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _forget_children() -> None:
    """Leave the children to the parent after a fork. Two processes must not talk to one child."""
    _children_of_parent.extend(_idle)
    _idle.clear()


def _end_idle_children() -> None:
    while _idle:
        _idle.pop().close()


_ENVIRONMENT = {
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    # NumPy's threads would take the cores from the parent, which works on what the child decodes.
    "OPENBLAS_NUM_THREADS": "1",
    **({"SYSTEMROOT": r"C:\Windows"} if sys.platform == "win32" else {}),
}
_children_of_parent: list[_Child] = []

atexit.register(_end_idle_children)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_children)
