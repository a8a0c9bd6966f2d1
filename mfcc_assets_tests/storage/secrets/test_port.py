"""The contract of every `SecretSource`."""

import pytest

from mfcc_assets.errors import SecretNotFound
from mfcc_assets.storage.secrets.cached import CachedSecrets
from mfcc_assets.storage.secrets.environment import EnvironmentSecrets
from mfcc_assets.storage.secrets.key_vault import KeyVaultSecrets
from mfcc_assets.storage.secrets.port import SecretSource
from mfcc_assets_tests.services.key_vault import VaultDouble

ADAPTERS = ["environment_secrets", "filled_vault", "cached_secrets"]
"""Fixtures of sources with one secret: ``audd-token`` is "swordfish"."""


@pytest.fixture
def environment_secrets() -> EnvironmentSecrets:
    return EnvironmentSecrets({"MFCC_SECRET_AUDD_TOKEN": "swordfish", "MFCC_SECRET_EMPTY": "", "HOME": "/root"})


@pytest.fixture
def filled_vault(vault: VaultDouble, vault_secrets: KeyVaultSecrets) -> KeyVaultSecrets:
    vault.set("audd-token", "swordfish")
    return vault_secrets


@pytest.fixture
def cached_secrets(filled_vault: KeyVaultSecrets) -> CachedSecrets:
    return CachedSecrets(filled_vault, 300)


@pytest.fixture(params=ADAPTERS)
def secret_source(request: pytest.FixtureRequest) -> SecretSource:
    return request.getfixturevalue(request.param)


class TestEverySource:
    def test_a_secret_is_read_by_its_name(self, secret_source):
        assert secret_source.get("audd-token") == "swordfish"

    def test_a_missing_secret_is_not_found(self, secret_source):
        with pytest.raises(SecretNotFound, match="acrcloud-key"):
            secret_source.get("acrcloud-key")

    @pytest.mark.parametrize("name", ["", "AUDD", "audd_token", "audd--token", "-audd", "audd token", "audd\n"])
    def test_a_name_that_key_vault_would_refuse_is_refused(self, secret_source, name):
        with pytest.raises(ValueError, match="cannot be the name"):
            secret_source.get(name)

    def test_no_representation_shows_a_secret(self, secret_source):
        with pytest.raises(SecretNotFound) as refused:
            secret_source.get("other")
        assert "swordfish" not in f"{secret_source!r} {secret_source} {refused.value!r} {refused.value}"
