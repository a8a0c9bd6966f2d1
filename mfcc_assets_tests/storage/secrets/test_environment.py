"""Secrets in environment variables."""

import pytest

from mfcc_assets.errors import SecretNotFound
from mfcc_assets.storage.secrets.environment import EnvironmentSecrets


def test_the_remedy_names_the_variable():
    with pytest.raises(SecretNotFound) as refused:
        EnvironmentSecrets({}).get("acrcloud-key")
    assert refused.value.remedy == "Set MFCC_SECRET_ACRCLOUD_KEY"


def test_an_empty_variable_is_not_a_secret():
    with pytest.raises(SecretNotFound):
        EnvironmentSecrets({"MFCC_SECRET_EMPTY": ""}).get("empty")
