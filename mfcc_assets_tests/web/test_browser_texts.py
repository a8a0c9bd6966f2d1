"""Tests of the texts that scripts show."""

import re
from pathlib import Path

from flask import Flask

import mfcc_assets.web
from mfcc_assets.web.browser_texts import browser_texts

SCRIPTS = Path(mfcc_assets.web.__file__).parent / "static" / "js"


def test_the_scripts_ask_for_exactly_the_texts_that_there_are() -> None:
    asked = {
        name
        for script in SCRIPTS.rglob("*.js")
        for name in re.findall(r'\btext\("(\w+)"', script.read_text(encoding="utf-8"))
    }
    with Flask(__name__).test_request_context():
        assert set(browser_texts()) == asked
