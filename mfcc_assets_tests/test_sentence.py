"""Tests of sentences that can be translated."""

import copy
import json
import pickle

import pytest

from mfcc_assets.sentence import Sentence

HEARD = Sentence("%(title)s is %(word)s at 100 %%.", title="50 % off", word=Sentence("dark"))


def test_a_sentence_is_its_english_text() -> None:
    assert HEARD == "50 % off is dark at 100 %."
    assert json.dumps([HEARD]) == '["50 % off is dark at 100 %."]'


def test_a_sentence_without_values_is_its_template() -> None:
    assert Sentence("100 % of it") == "100 % of it"


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_knows_its_template_and_its_values(copied) -> None:
    again = copied(HEARD)

    assert again == HEARD
    assert (again.template, again.values) == (HEARD.template, HEARD.values)
    assert again.values["word"].template == "dark"


def test_a_place_without_a_value_is_told() -> None:
    with pytest.raises(KeyError, match="word"):
        Sentence("%(title)s is %(word)s", title="Palace")
