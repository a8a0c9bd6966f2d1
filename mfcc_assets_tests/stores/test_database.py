"""How a database is reached, and what is said of one that cannot be."""

import subprocess
import sys

import pytest

from mfcc_assets.core.errors import StoreError
from mfcc_assets.stores.database import Database

FORGETFUL = """
import sys
from mfcc_assets.stores.database import Database

def use(database):
    with database.reading() as connection:
        connection.exec_driver_sql("SELECT 1")

use(Database(sys.argv[1]))
kept = Database(sys.argv[1])
use(kept)
"""


def test_who_forgets_to_close_is_not_warned_of_connections(url):
    # Python 3.13 warns of connections to SQLite that nobody closed.
    program = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", FORGETFUL, url]
    assert subprocess.run(program, capture_output=True, text=True, check=True).stderr == ""


def test_a_file_that_is_no_database_says_so(tmp_path):
    (tmp_path / "file").write_bytes(b"music" * 1000)
    with pytest.raises(StoreError, match="not a database"), Database(f"sqlite:///{tmp_path / 'file'}").reading():
        pass
    with pytest.raises(StoreError, match="cannot be made"):
        Database(f"sqlite:///{tmp_path / 'file/folder/tables.sqlite'}")


@pytest.mark.parametrize("address", ["no address", "nosuchdb://user:hunter2@host/db", "sqlite+nosuch:///file"])
def test_an_address_that_no_driver_takes_is_a_store_error_that_keeps_its_password(address):
    with pytest.raises(StoreError, match="address of the database") as raised:
        Database(address)
    assert "hunter2" not in str(raised.value)
