"""Run jobs until the process is killed: ``python -m mfcc_assets_tests.killed_runs JSON``, a list of `Kill`.

Every run is a fork of this process, so only this process pays for the imports. It is killed by SIGKILL: no handler
runs, and nothing is flushed, closed or rolled back.
"""

import io
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import dagster as dg
import mutagen
import numpy as np
import sqlalchemy as sa

from mfcc_assets import warm_up as kernels
from mfcc_assets.ids import UploadId
from mfcc_assets.library import Library
from mfcc_assets.plots.tracks import heat_map
from mfcc_assets.settings import Settings
from mfcc_assets.storage.blobs.local import LocalBlobs
from mfcc_assets.storage.blobs.port import Blob
from mfcc_assets_tests.runs import run_library, run_uploads

AT_ONCE = 2


@dataclass(frozen=True)
class Kill:
    """A run, and the point where it is killed.

    Attributes
    ----------
    home
        Home of the library.
    after
        The run is killed after this step.
    writing
        The run is killed while it writes a blob whose name contains this.
    inserting
        The run is killed after the first row that it inserts into this table, before the transaction ends.
    uploads
        Uploads that the run answers. Without any, it is a run over the library.
    """

    home: str
    after: str = ""
    writing: str = ""
    inserting: str = ""
    uploads: Sequence[UploadId] = ()


def run_and_kill(kills: Sequence[Kill]) -> None:
    """Run each in its own process until it is killed.

    Raises
    ------
    subprocess.CalledProcessError
        If a run ended before it was killed.
    """
    command = [sys.executable, "-m", "mfcc_assets_tests.killed_runs", json.dumps([asdict(kill) for kill in kills])]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[1])


class _DeadlyFile(io.BytesIO):
    """A file that kills the process when its second half is read."""

    def read(self, _: int | None = -1, /) -> bytes:
        if self.tell():
            _die()
        return super().read(len(self.getvalue()) // 2)


class _DeadlySink(io.RawIOBase):
    """A file that kills the process in the middle of the second write."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._begun = False

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        portion = bytes(data)
        if self._begun:
            self._file.write(portion[: len(portion) // 2])
            _die()
        self._begun = True
        return self._file.write(portion)


class _DeadlyBlobs(LocalBlobs):
    def __init__(self, settings: Settings, signing_key: Callable[[], bytes], fatal: str) -> None:
        super().__init__(settings.blobs, signing_key)
        self._fatal = fatal

    def write(self, container: str, name: str, data: bytes | BinaryIO, *, if_match: str | None = None) -> Blob:
        if self._fatal in name:
            data = _DeadlyFile(data if isinstance(data, bytes) else data.read())
        return super().write(container, name, data, if_match=if_match)

    @contextmanager
    def writing(self, container: str, name: str) -> Iterator[BinaryIO]:
        with super().writing(container, name) as file:
            yield cast("BinaryIO", _DeadlySink(file)) if self._fatal in name else file


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _run(kill: Kill) -> None:
    library = Library(Settings(home=Path(kill.home), settle_seconds=0))
    if kill.writing:
        library.blobs = _DeadlyBlobs(library.settings, lambda: library.signing_key, kill.writing)
    if kill.inserting:

        @sa.event.listens_for(sa.Engine, "after_cursor_execute")
        def die_after_insert(*event: object) -> None:
            if str(event[2]).startswith(f'INSERT INTO "{kill.inserting}"'):
                _die()

    @dg.success_hook
    def die_after_step(context: dg.HookContext) -> None:
        if context.op.name == kill.after:
            _die()

    with dg.DagsterInstance.ephemeral() as instance:
        if kill.uploads:
            run_uploads(library, instance, kill.uploads, hooks={die_after_step})
        else:
            run_library(library, instance, hooks={die_after_step})


def _forked(kill: Kill) -> int:
    process = os.fork()
    if not process:
        try:
            _run(kill)
        except BaseException:  # noqa: BLE001  whatever it is, it is printed before the process ends
            traceback.print_exc()
        os._exit(1)
    return process


def _main(kills: Sequence[Kill]) -> None:
    # These imports are slow: done here, they are not repeated in each fork.
    with dg.DagsterInstance.ephemeral():
        kernels.warm_up()
        heat_map(np.ones((2, 13), np.float32), "")
        mutagen.File(io.BytesIO())
    for start in range(0, len(kills), AT_ONCE):
        running = {_forked(kill): kill for kill in kills[start : start + AT_ONCE]}
        for process, kill in running.items():
            _, status = os.waitpid(process, 0)
            if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
                sys.exit(f"This run was not killed: {kill}")


if __name__ == "__main__":
    _main([Kill(**kill) for kill in json.loads(sys.argv[1])])
