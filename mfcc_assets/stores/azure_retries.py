"""How requests to Azure Storage are repeated: soon at first, as the server asks, and not for ever."""

import logging
import random
import time
from typing import Any

from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.storage.blob import ExponentialRetry

from mfcc_assets.stores.retry_after import seconds_asked

PATIENCE_SECONDS = 90.0
"""From the first failure of a request to when it is given up: storage may be away for half a minute and more."""

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 10.0
_LONGEST_ASKED_SECONDS = 30.0
_REPEATED = (408, 429, 500, 502, 503, 504)

_logger = logging.getLogger(__name__)


class PatientRetries(ExponentialRetry):
    """Repeats what was throttled, refused or lost on the way.

    The policy it replaces first waits 15 s, then 27 s, does not look at ``Retry-After``, and never repeats a 429.
    """

    def send(self, request: Any) -> Any:
        settings = self.configure_retries(request)
        gives_up_at, repeated = 0.0, 0
        while True:
            response: Any = None
            lost: AzureError | None = None
            try:
                response = self.next.send(request)
            except (ServiceRequestError, ServiceResponseError) as error:
                lost = error
            if lost is None and response.http_response.status_code not in _REPEATED:
                break
            gives_up_at = gives_up_at or time.monotonic() + PATIENCE_SECONDS
            wait = _wait(response, repeated)
            if time.monotonic() + wait > gives_up_at:
                break
            if not repeated:
                reason = type(lost).__name__ if lost else f"status {response.http_response.status_code}"
                _logger.warning("Storage does not answer (%s); asked again for %.0f s", reason, PATIENCE_SECONDS)
            time.sleep(wait)
            repeated += 1
        if lost is not None:
            raise lost
        # Who reads the answer asks which of an account's two places it came from.
        response.http_response.location_mode = settings["mode"]
        return response


def _wait(response: Any, repeated: int) -> float:
    """Seconds to wait: what the server asks for, otherwise twice as long each time, and not all clients at once."""
    asked = seconds_asked(response.http_response.headers.get("Retry-After", "")) if response else None
    if asked is not None:
        return min(max(asked, 0.0), _LONGEST_ASKED_SECONDS)
    doubled = min(_FIRST_WAIT_SECONDS * 2.0 ** min(repeated, 10), _LONGEST_WAIT_SECONDS)
    return doubled * random.uniform(0.5, 1.0)  # noqa: S311  it need not be secret
