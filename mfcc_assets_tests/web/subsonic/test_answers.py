"""Tests of the two forms of answers."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfcc_assets.texts import printable
from mfcc_assets.web.subsonic.answers import as_xml, without_missing
from mfcc_assets_tests.web.subsonic.players import Player, xml_of


@given(st.text())
def test_every_printable_text_survives_in_xml(text: str) -> None:
    shown = printable(text)
    root = ET.fromstring(as_xml({"name": shown, "list": [{"value": shown}]}))
    assert root.get("name") == shown
    assert (root[0].text or "") == shown


def test_lists_become_repeated_elements_and_truth_values_are_lower_case() -> None:
    root = ET.fromstring(as_xml({"user": {"admin": False, "folder": [1, 2]}}))
    assert root[0].get("admin") == "false"
    assert [child.text for child in root[0]] == ["1", "2"]


def test_missing_members_are_left_out() -> None:
    assert without_missing({"a": None, "b": 0, "c": ""}) == {"b": 0, "c": ""}


def test_answers_are_xml_unless_json_is_asked_for(player: Player) -> None:
    root = xml_of(player.get("ping"))
    assert (root.tag, root.get("status"), root.get("openSubsonic")) == ("subsonic-response", "ok", "true")
    assert root.attrib.keys() == player.call("ping").keys()


@pytest.mark.parametrize("form", ["jsonp", "yaml", ""])
def test_other_forms_are_refused(player: Player, form: str) -> None:
    response = player.get("ping", f=form, callback="steal")
    assert xml_of(response).get("status") == "failed"
    assert b"steal" not in response.data


def test_failures_have_the_form_that_was_asked_for(player: Player) -> None:
    assert player.call("getSong", id="none")["error"]["code"] == 70
    (error,) = xml_of(player.get("getSong", id="none"))
    assert (error.tag, error.get("code")) == ("error", "70")


def test_hostile_names_are_texts_in_both_forms(shelves: Player) -> None:
    (song,) = shelves.call("search3", query="script")["searchResult3"]["song"]
    (same,) = xml_of(shelves.get("search3", query="script")).iter("song")
    assert song["title"] == same.get("title") == "\ufffd<script>alert(1)</script>"
    assert song["album"] == same.get("album") == '"&<>'
    assert "\u202e" not in song["artist"]
    assert "\x01" not in shelves.get("search3", query="script").text
