"""Databases are opened with the newest schema."""

import subprocess
import sys
from contextlib import closing

from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.revisions import open_database
from mfcc_assets_tests.storage.sql.table_rows import observe, observed

OPENER = """
import sys
from contextlib import closing
from mfcc_assets.storage.sql.catalogue import Catalogue
from mfcc_assets.storage.sql.records import AudioContent
from mfcc_assets.storage.sql.revisions import open_database
print("ready", flush=True)
sys.stdin.read()
with closing(open_database(sys.argv[1])) as database:
    Catalogue(database).record_content(AudioContent(sys.argv[2], "a", 1.0, ""))
"""


def test_rows_are_there_when_a_database_is_opened_again(catalogue, url):
    observe(catalogue, observed("a.mp3"))
    with closing(open_database(url)) as database:
        assert Catalogue(database).soundtracks() == catalogue.soundtracks()


def test_a_closed_database_opens_again_on_its_next_use(database, catalogue):
    observe(catalogue, observed("a.mp3"))
    database.close()
    assert len(catalogue.soundtracks()) == 1


def test_processes_that_open_a_new_database_at_once_make_one_schema(empty_url):
    digests = [f"{number}" * 32 for number in range(4)]
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, empty_url, digest],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for digest in digests
    ]
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.close()
        opener.stdin = None
    complaints = [opener.communicate()[1] for opener in openers]
    assert complaints == [""] * 4
    with closing(open_database(empty_url)) as database:
        assert sorted(Catalogue(database).contents(digests)) == digests
