"""Secrets in an Azure Key Vault: an adapter of `SecretSource`."""

import json
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy
from azure.keyvault.secrets import SecretClient

from mfcc_assets.errors import SecretNotFound, StoreError
from mfcc_assets.storage.secrets.port import SecretSource, check_name

_CONNECT_SECONDS = 3.0
_READ_SECONDS = 5.0
_LONGEST_WAIT_SECONDS = 5.0


class KeyVaultSecrets(SecretSource):
    """The newest version of each secret. Every call asks the vault; `CachedSecrets` avoids that.

    Parameters
    ----------
    client
        Client of the vault, as `open_key_vault` makes it. `close` closes it.
    """

    def __init__(self, client: SecretClient) -> None:
        self._client = client
        self.vault = client.vault_url.removeprefix("https://").partition(".")[0]

    def close(self) -> None:
        self._client.close()

    def get(self, name: str) -> str:
        check_name(name)
        try:
            secret = self._client.get_secret(name).value
        except ResourceNotFoundError:
            raise self._not_found(name, "it is not in the vault") from None
        except ClientAuthenticationError:
            raise self._away(
                "it does not accept the identity of this process",
                "Assign a managed identity, or sign in by `az login`",
            ) from None
        except HttpResponseError as error:
            raise self._refused(name, error) from None
        # The client raises a ValueError if a server that is not a Key Vault demands a token.
        except (AzureError, ValueError) as error:
            raise self._away(
                f"it cannot be reached ({type(error).__name__})", "Check MFCC_KEY_VAULT_URL and the network"
            ) from None
        if not secret:
            raise self._not_found(name, "it is empty")
        return secret

    def _refused(self, name: str, error: HttpResponseError) -> StoreError:
        if error.status_code != 403:
            return self._away(f"it answered with status {error.status_code}", "Try again later")
        match _inner_code(error):
            case "SecretDisabled":
                return self._not_found(name, "it is disabled", "set-attributes --enabled true")
            case "ForbiddenByFirewall" | "ForbiddenByConnection":
                return self._away("its firewall refuses this network", "Allow this network, or a private endpoint")
        return SecretNotFound(
            "this identity may not read it",
            subject=f"Secret {name} in Key Vault {self.vault}",
            remedy="Give the identity the role Key Vault Secrets User",
        )

    def _not_found(self, name: str, what: str, command: str = "set --value …") -> SecretNotFound:
        verb, _, options = command.partition(" ")
        return SecretNotFound(
            what,
            subject=f"Secret {name} in Key Vault {self.vault}",
            remedy=f"Run `az keyvault secret {verb} --vault-name {self.vault} --name {name} {options}`",
        )

    def _away(self, what: str, remedy: str) -> StoreError:
        return StoreError(what, subject=f"Key Vault {self.vault}", remedy=remedy)


def open_key_vault(url: str, credential: TokenCredential) -> KeyVaultSecrets:
    """Return the secrets of a vault, to be closed by the caller. Nothing is requested yet."""
    return KeyVaultSecrets(SecretClient(url, credential, **client_options()))


def client_options() -> dict[str, Any]:
    """Return options with which a `SecretClient` gives up after about ten seconds, because a listener waits."""
    return {
        "retry_policy": _BoundedRetries(retry_total=3, retry_backoff_factor=0.2),
        "connection_timeout": _CONNECT_SECONDS,
        "read_timeout": _READ_SECONDS,
    }


class _BoundedRetries(RetryPolicy[Any, Any]):
    """Honours ``Retry-After`` up to a few seconds. The client alone would sleep for as long as the server asks."""

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, _LONGEST_WAIT_SECONDS)


def _inner_code(error: HttpResponseError) -> str:
    """Return the vault's exact reason, as ``SecretDisabled``; empty if there is none."""
    try:
        inner = json.loads(error.response.text())["error"]["innererror"]  # type: ignore[union-attr]
        return str(inner["code"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""
