"""Every statement for SQL Server and Azure SQL passes a parser of T-SQL, as no such server runs in the tests."""

import json
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql
from sqlfluff.core import Linter

from mfcc_assets.storage.sql import migrations, schema
from mfcc_assets.storage.sql.grants import STATEMENTS, User
from mfcc_assets_tests.services.processes import REPOSITORY
from mfcc_assets_tests.storage.sql import recorded_sql_server
from mfcc_assets_tests.storage.sql.recorded_sql_server import MARK, STORES, RecordedSqlServer, public_methods

MOST_PARAMETERS = 2100
LONGEST_KEY_BYTES = 900
WIDTHS: dict[type[sa.types.TypeEngine[Any]], int] = {sa.BigInteger: 8, sa.Integer: 4, sa.Float: 8, schema.UtcTime: 8}
CONTRACT = (
    "test_added_files.py",
    "test_api_keys.py",
    "test_browsing.py",
    "test_catalogue.py",
    "test_player_lists.py",
    "test_recommendations.py",
)

DIALECT = Linter(dialect="tsql")


def faults_of(statement: str) -> list[str]:
    # On the server a parameter is a variable.
    parsed = DIALECT.parse_string(re.sub(r"\?", "@P1", statement) + "\n")
    return [fault.desc() for fault in parsed.violations]


@pytest.fixture(scope="module")
def sent() -> dict[str, int]:
    """The largest number of parameters of each statement that the tests of the catalogue and recommendations send."""
    files = [Path(__file__).with_name(name) for name in CONTRACT]
    chosen = ["-p", recorded_sql_server.__name__, "-p", "no:cacheprovider", "-k", "sqlite_url"]
    command = [sys.executable, "-m", "pytest", "-q", *chosen, *map(str, files)]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    [recorded] = [line.removeprefix(MARK) for line in ran.stdout.splitlines() if line.startswith(MARK)]
    statements, called = json.loads(recorded)
    assert set(called) == {method.__qualname__ for store in STORES for method in public_methods(store).values()}
    return statements


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT [TITLE] FROM [SOUNDTRACKS] LIMIT 5",
        "INSERT INTO [CONTENTS] ([NOTE]) VALUES (?) ON CONFLICT DO NOTHING",
        "CREATE TABLE IF NOT EXISTS [CONTENTS] ([NOTE] NVARCHAR(5))",
        "MERGE INTO [CONTENTS] USING (SELECT ? AS [NOTE]) AS new WHEN MATCHED THEN DELETE;",
    ],
)
def test_the_parser_finds_statements_that_sql_server_does_not_accept(statement):
    assert faults_of(statement)


def test_sql_server_accepts_every_statement_of_both_stores(sent):
    shapes = {re.sub(r"\?(, \?)+", "?, ?", statement) for statement in sent}  # lists of every length are alike
    assert {statement: faults for statement in shapes if (faults := faults_of(statement))} == {}
    for beginning in ("SELECT TOP", "MERGE INTO [SOUNDTRACKS]", "MERGE INTO [CONTENTS]", "MERGE INTO [REJECTS]"):
        assert any(statement.startswith(beginning) for statement in sent), beginning


def test_merges_end_with_a_semicolon_as_sql_server_demands(sent):
    assert all(statement.endswith(";") for statement in sent if statement.startswith("MERGE"))


def test_no_statement_has_more_parameters_than_sql_server_accepts(sent):
    assert 500 < max(sent.values()) < MOST_PARAMETERS


def test_sql_server_accepts_the_migrations():
    batches = migrations.script("mssql").split("\nGO\n")
    statements = [*batches, migrations.LOCKS["mssql"]]
    assert {statement: faults for statement in statements if (faults := faults_of(statement))} == {}


def test_sql_server_accepts_the_grants():
    users = [User("o'brien"), User("runs", UUID(int=1))]
    with RecordedSqlServer().engine.connect() as server:
        statements = list(
            chain.from_iterable(
                STATEMENTS["mssql"](server, role, users) for role in ("mfcc_writer", "mfcc_reader", "mfcc_pages")
            )
        )
    assert len(statements) > 10
    # The parser does not know users that are made by the identity's own number.
    known = [re.sub(r"WITH SID = 0x[0-9A-F]{32}, TYPE = E$", "FROM EXTERNAL PROVIDER", each) for each in statements]
    assert {statement: faults for statement in known if (faults := faults_of(statement))} == {}


def test_keys_are_short_enough_for_sql_server():
    for table in schema.METADATA.tables.values():
        constraints = [item for item in table.constraints if isinstance(item, sa.UniqueConstraint)]
        keys: list[sa.PrimaryKeyConstraint | sa.UniqueConstraint | sa.Index] = [*constraints, *table.indexes]
        for key in (table.primary_key, *keys):
            assert sum(bytes_of(column) for column in key.columns) <= LONGEST_KEY_BYTES


def bytes_of(column: sa.Column[Any]) -> int:
    written = column.type.compile(mssql.dialect())
    length = re.fullmatch(r"(N?)VARCHAR\((\d+)\)( COLLATE \w+)?", written)
    return int(length[2]) * (2 if length[1] else 1) if length else WIDTHS[type(column.type)]
