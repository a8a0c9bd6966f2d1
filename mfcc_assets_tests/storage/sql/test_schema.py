"""How the tables and the view come about."""

import subprocess
import sys

from mfcc_assets.storage.sql.tables import Tables

OPENER = """
import sys
from mfcc_assets.storage.sql.records import Content
from mfcc_assets.storage.sql.tables import Tables
print("ready", flush=True)
sys.stdin.read()
with Tables(sys.argv[1]) as tables:
    tables.record_content(Content(sys.argv[2], "a", 1.0, ""))
"""


def test_processes_that_make_the_schema_at_once_find_one_schema(empty_url):
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
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        opener.stdin.close()
        opener.stdin = None
    complaints = [opener.communicate()[1] for opener in openers]
    assert complaints == [""] * 4
    with Tables(empty_url) as tables:
        assert sorted(tables.contents(digests)) == digests
