"""Reads a file ahead of those who use its signal, so that it is decoded while they do something else."""

import threading
from collections import deque
from collections.abc import Generator
from contextlib import closing
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.audio.reader import Audio, AudioReader

MOST_BLOCKS = 512
"""Number of blocks that are read ahead at most. They hold 6 minutes of a CD in two channels, in 67 MB."""


class ReadAhead:
    """The signal of a file, which is read from now on. It has the parts of `AudioReader` that are needed to analyse it.

    Parameters
    ----------
    reader
        Reader of the file.
    most_blocks
        Number of blocks that are read ahead at most.

    Examples
    --------
    >>> from importlib.resources import files
    >>> from pathlib import Path
    >>> path = Path(str(files("mfcc_assets.demo"))) / "uploads" / "caribbean.mp3"
    >>> with ReadAhead(AudioReader(path, sample_rate=44_100, trimmed_samples=500)) as signal:
    ...     samples = sum(map(len, signal.blocks()))
    >>> samples, signal.audio.sample_rate
    (792822, 22050)
    """

    def __init__(self, reader: AudioReader, most_blocks: int = MOST_BLOCKS) -> None:
        self._reader, self._most_blocks = reader, most_blocks
        self._ahead: deque[NDArray[np.float32]] = deque()
        self._error: BaseException | None = None
        self._is_read = self._is_closed = False
        self._changed = threading.Condition()
        # A caller that gives up does not wait for a disk that hangs, so the thread must not keep the process alive.
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop reading. Who waits for a block gets a `RuntimeError`, unless the file was read to its end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def audio(self) -> Audio:
        """Facts about the audio, as `AudioReader.audio` has them."""
        return self._reader.audio

    def wait(self) -> None:
        """Wait until the file is read to its end, cannot be read, or is given up."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_read or self._is_closed)

    def blocks(self) -> Generator[NDArray[np.float32]]:
        """Yield the blocks of `AudioReader.blocks`, with its errors. Unlike there, they can be had only once."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ahead or self._is_read or self._is_closed)
                if not self._ahead:
                    break
                block = self._ahead.popleft()
                self._changed.notify_all()
            yield block
        if self._error is not None:
            raise self._error
        if not self._is_read:
            raise RuntimeError("the reading of the file was given up")

    def _read(self) -> None:
        try:
            with closing(self._reader.blocks()) as blocks:
                for block in blocks:
                    with self._changed:
                        self._changed.wait_for(lambda: self._is_closed or len(self._ahead) < self._most_blocks)
                        if self._is_closed:
                            return
                        self._ahead.append(block)
                        self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001  `blocks` raises it, where the caller is
            self._error = error
        with self._changed:
            self._is_read = True
            self._changed.notify_all()
