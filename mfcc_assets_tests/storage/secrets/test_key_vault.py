"""Secrets in a Key Vault: what goes wrong is said, and no secret with it."""

import logging
import secrets

import pytest
from azure.core.exceptions import ClientAuthenticationError

from mfcc_assets.errors import SecretNotFound, StoreError
from mfcc_assets.storage.secrets.key_vault import KeyVaultSecrets, open_key_vault
from mfcc_assets_tests.services.key_vault import Refusal, TokenOf, VaultDouble

NAME = "audd-token"


@pytest.fixture
def value(vault: VaultDouble) -> str:
    """What the vault keeps under the name."""
    value = secrets.token_urlsafe(24)
    vault.set(NAME, value)
    return value


def test_the_newest_version_is_the_secret(vault: VaultDouble, vault_secrets: KeyVaultSecrets, value: str) -> None:
    assert vault_secrets.get(NAME) == value
    vault.set(NAME, "newer")
    assert vault_secrets.get(NAME) == "newer"


def test_the_remedy_for_an_absent_secret_names_vault_and_secret(vault_secrets: KeyVaultSecrets) -> None:
    with pytest.raises(SecretNotFound) as refused:
        vault_secrets.get(NAME)
    assert refused.value.remedy == (
        f"Run `az keyvault secret set --vault-name {vault_secrets.vault} --name {NAME} --value …`"
    )


@pytest.mark.usefixtures("value")
def test_a_disabled_secret_is_not_found_and_can_be_enabled(vault: VaultDouble, vault_secrets: KeyVaultSecrets) -> None:
    vault.disable(NAME)
    with pytest.raises(SecretNotFound, match="It is disabled") as refused:
        vault_secrets.get(NAME)
    assert f"--name {NAME} --enabled true" in refused.value.remedy


def test_an_empty_secret_is_none(vault: VaultDouble, vault_secrets: KeyVaultSecrets) -> None:
    vault.set(NAME, "")
    with pytest.raises(SecretNotFound, match="It is empty"):
        vault_secrets.get(NAME)


@pytest.mark.usefixtures("value")
def test_who_may_not_read_learns_which_role_is_missing(vault: VaultDouble, vault_secrets: KeyVaultSecrets) -> None:
    vault.refusals.append(Refusal(403, "Forbidden", "ForbiddenByRbac"))
    with pytest.raises(SecretNotFound) as refused:
        vault_secrets.get(NAME)
    assert refused.value.remedy == "Give the identity the role Key Vault Secrets User"


@pytest.mark.usefixtures("value")
def test_a_firewall_hides_no_secret_but_the_vault(vault: VaultDouble, vault_secrets: KeyVaultSecrets) -> None:
    vault.refusals.append(Refusal(403, "Forbidden", "ForbiddenByFirewall"))
    with pytest.raises(StoreError, match="firewall") as refused:
        vault_secrets.get(NAME)
    assert not isinstance(refused.value, SecretNotFound)


def test_a_vault_that_throttles_or_stumbles_is_asked_again(
    vault: VaultDouble, vault_secrets: KeyVaultSecrets, value: str
) -> None:
    vault.refusals.extend([Refusal(429, "Throttled", retry_after="0"), Refusal(503, "Unavailable")])
    assert vault_secrets.get(NAME) == value
    assert vault.asked == [NAME] * 3


def test_a_vault_that_wants_to_be_left_alone_for_an_hour_is_waited_for_no_longer_than_seconds(
    vault: VaultDouble, vault_secrets: KeyVaultSecrets, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("azure.core.pipeline.transport._base.time.sleep", slept.append)
    vault.refusals.append(Refusal(429, "Throttled", retry_after="3600"))
    assert vault_secrets.get(NAME) == value
    assert slept == [5]


@pytest.mark.parametrize(("status", "retry_after"), [(429, ""), (429, "60"), (500, ""), (503, "1")])
def test_a_vault_that_does_not_recover_is_given_up(
    vault: VaultDouble, vault_secrets: KeyVaultSecrets, monkeypatch: pytest.MonkeyPatch, status: int, retry_after: str
) -> None:
    monkeypatch.setattr("azure.core.pipeline.transport._base.time.sleep", lambda _: None)
    vault.refusals.extend([Refusal(status, "Unavailable", retry_after=retry_after)] * 10)
    with pytest.raises(StoreError, match=f"status {status}"):
        vault_secrets.get(NAME)
    assert len(vault.asked) == 4


def test_a_vault_that_is_away_is_said_to_be(
    vault: VaultDouble, vault_secrets: KeyVaultSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azure.core.pipeline.transport._base.time.sleep", lambda _: None)
    vault.away = True
    with pytest.raises(StoreError, match="cannot be reached") as refused:
        vault_secrets.get(NAME)
    assert not isinstance(refused.value, SecretNotFound)


@pytest.mark.usefixtures("value")
def test_a_token_that_is_not_accepted_is_no_missing_secret(vault: VaultDouble) -> None:
    class Stranger(TokenOf):
        def get_token(self, *scopes: str, **_: object) -> object:
            return super().get_token(*scopes)._replace(token="another")

    client = vault.client(Stranger(vault))
    with client, pytest.raises(StoreError, match="does not accept the identity"):
        KeyVaultSecrets(client).get(NAME)


@pytest.mark.usefixtures("value")
def test_a_process_without_an_identity_is_told_so(vault: VaultDouble) -> None:
    class Nobody(TokenOf):
        def get_token(self, *_: str, **__: object) -> object:
            raise ClientAuthenticationError("no credential worked")

    client = vault.client(Nobody(vault))
    with client, pytest.raises(StoreError, match="identity"):
        KeyVaultSecrets(client).get(NAME)


@pytest.mark.usefixtures("value")
def test_a_server_that_is_no_key_vault_gets_no_token(vault: VaultDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    class Careful(TokenOf):
        def get_token(self, *_: str, **__: object) -> object:
            raise AssertionError("a token was handed out")

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(vault.authority))
    opened = open_key_vault(vault.url, Careful(vault))
    with pytest.raises(StoreError, match="cannot be reached") as refused:
        opened.get(NAME)
    opened.close()
    assert "MFCC_KEY_VAULT_URL" in refused.value.remedy


def test_neither_secret_nor_token_is_logged_at_the_most_talkative_level(
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


def test_a_secret_shows_in_no_representation(vault_secrets: KeyVaultSecrets, value: str) -> None:
    vault_secrets.get(NAME)
    assert value not in f"{vault_secrets!r} {vars(vault_secrets)}"
