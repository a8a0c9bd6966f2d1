"""Secrets in a Key Vault: every failure has a clear error, and no error shows a secret."""

import logging
import secrets
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from mfcc_assets.errors import SecretNotFound, StoreError
from mfcc_assets.storage.secrets.key_vault import KeyVaultSecrets, open_key_vault
from mfcc_assets_tests.own_sleep import replace_sleep
from mfcc_assets_tests.services.key_vault import Refusal, TokenOf, VaultDouble

NAME = "audd-token"


@pytest.fixture
def value(vault: VaultDouble) -> str:
    """The value of the secret in the vault."""
    value = secrets.token_urlsafe(24)
    vault.set(NAME, value)
    return value


def test_the_newest_version_of_a_secret_is_read(vault: VaultDouble, vault_secrets: KeyVaultSecrets, value: str) -> None:
    assert vault_secrets.get(NAME) == value
    vault.set(NAME, "newer")
    assert vault_secrets.get(NAME) == "newer"


def test_the_remedy_for_a_missing_secret_names_the_vault_and_the_secret(vault_secrets: KeyVaultSecrets) -> None:
    with pytest.raises(SecretNotFound) as refused:
        vault_secrets.get(NAME)
    assert refused.value.remedy == (
        f"Run `az keyvault secret set --vault-name {vault_secrets.vault} --name {NAME} --value …`"
    )


@pytest.mark.usefixtures("value")
def test_the_remedy_for_a_disabled_secret_enables_it(vault: VaultDouble, vault_secrets: KeyVaultSecrets) -> None:
    vault.disable(NAME)
    with pytest.raises(SecretNotFound, match="it is disabled") as refused:
        vault_secrets.get(NAME)
    assert f"--name {NAME} --enabled true" in refused.value.remedy


def test_an_empty_secret_is_not_found(vault: VaultDouble, vault_secrets: KeyVaultSecrets) -> None:
    vault.set(NAME, "")
    with pytest.raises(SecretNotFound, match="it is empty"):
        vault_secrets.get(NAME)


@pytest.mark.usefixtures("value")
def test_the_error_for_an_identity_that_may_not_read_names_the_role(
    vault: VaultDouble, vault_secrets: KeyVaultSecrets
) -> None:
    vault.refusals.append(Refusal(403, "Forbidden", "ForbiddenByRbac"))
    with pytest.raises(SecretNotFound) as refused:
        vault_secrets.get(NAME)
    assert refused.value.remedy == "Give the identity the role Key Vault Secrets User"


@pytest.mark.usefixtures("value")
def test_a_refusal_by_the_firewall_is_not_a_missing_secret(vault: VaultDouble, vault_secrets: KeyVaultSecrets) -> None:
    vault.refusals.append(Refusal(403, "Forbidden", "ForbiddenByFirewall"))
    with pytest.raises(StoreError, match="firewall") as refused:
        vault_secrets.get(NAME)
    assert not isinstance(refused.value, SecretNotFound)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between requests in seconds, which are recorded and skipped."""
    waited: list[float] = []
    replace_sleep(monkeypatch, "azure.core.pipeline.transport._base", waited.append)
    return waited


def test_a_throttled_or_failed_request_is_retried(
    vault: VaultDouble, vault_secrets: KeyVaultSecrets, value: str
) -> None:
    vault.refusals.extend([Refusal(429, "Throttled", retry_after="0"), Refusal(503, "Unavailable")])
    assert vault_secrets.get(NAME) == value
    assert vault.asked == [NAME] * 3


def test_a_long_retry_after_is_cut_to_a_few_seconds(
    vault: VaultDouble, vault_secrets: KeyVaultSecrets, value: str, waits: list[float]
) -> None:
    vault.refusals.append(Refusal(429, "Throttled", retry_after="3600"))
    assert vault_secrets.get(NAME) == value
    assert waits == [5]


@pytest.mark.usefixtures("waits")
@pytest.mark.parametrize(("status", "retry_after"), [(429, ""), (429, "60"), (500, ""), (503, "1")])
def test_a_vault_that_does_not_recover_is_given_up(
    vault: VaultDouble, vault_secrets: KeyVaultSecrets, status: int, retry_after: str
) -> None:
    vault.refusals.extend([Refusal(status, "Unavailable", retry_after=retry_after)] * 10)
    with pytest.raises(StoreError, match=f"status {status}"):
        vault_secrets.get(NAME)
    assert len(vault.asked) == 4


@pytest.mark.usefixtures("waits")
def test_an_unreachable_vault_is_a_store_error(vault: VaultDouble, vault_secrets: KeyVaultSecrets) -> None:
    vault.away = True
    with pytest.raises(StoreError, match="cannot be reached") as refused:
        vault_secrets.get(NAME)
    assert not isinstance(refused.value, SecretNotFound)


@pytest.mark.usefixtures("value")
def test_a_refused_token_is_not_a_missing_secret(vault: VaultDouble) -> None:
    class Stranger(TokenOf):
        def get_token(self, *scopes: str, **_: Any) -> AccessToken:
            return super().get_token(*scopes)._replace(token="another")

    client = vault.client(Stranger(vault))
    with client, pytest.raises(StoreError, match="does not accept the identity"):
        KeyVaultSecrets(client).get(NAME)


@pytest.mark.usefixtures("value")
def test_the_error_for_a_process_without_an_identity_says_so(vault: VaultDouble) -> None:
    class Nobody(TokenOf):
        def get_token(self, *_: str, **__: Any) -> AccessToken:
            raise ClientAuthenticationError("no credential worked")

    client = vault.client(Nobody(vault))
    with client, pytest.raises(StoreError, match="identity"):
        KeyVaultSecrets(client).get(NAME)


@pytest.mark.usefixtures("value")
def test_a_server_that_is_not_a_key_vault_gets_no_token(vault: VaultDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    class Careful(TokenOf):
        def get_token(self, *_: str, **__: Any) -> AccessToken:
            raise AssertionError("a token was handed out")

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(vault.authority))
    opened = open_key_vault(vault.url, Careful(vault))
    with pytest.raises(StoreError, match="cannot be reached") as refused:
        opened.get(NAME)
    opened.close()
    assert "MFCC_KEY_VAULT_URL" in refused.value.remedy


def test_neither_secret_nor_token_is_logged_at_debug_level(
    vault: VaultDouble, vault_secrets: KeyVaultSecrets, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vault.refusals.append(Refusal(503, "Unavailable"))
    vault_secrets.get(NAME)
    with pytest.raises(SecretNotFound):
        vault_secrets.get("another")
    assert "secrets/audd-token" in caplog.text
    assert value not in caplog.text
    assert vault.token not in caplog.text


def test_no_representation_shows_a_secret(vault_secrets: KeyVaultSecrets, value: str) -> None:
    vault_secrets.get(NAME)
    assert value not in f"{vault_secrets!r} {vars(vault_secrets)}"
