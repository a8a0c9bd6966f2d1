"""The recognition services of one process. They are shared, so that pace and failures are counted once per service."""

from mfcc_assets.recognition.recogniser import Recogniser
from mfcc_assets.recognition.services.acoustid import AcoustId, acoustid_service
from mfcc_assets.recognition.services.acrcloud import AcrCloud, acrcloud_service
from mfcc_assets.recognition.services.audd import AudD, audd_service
from mfcc_assets.recognition.services.excerpts_and_secrets import Secrets
from mfcc_assets.recognition.services.http import new_client
from mfcc_assets.recognition.services.pacing import Timing


class RecognitionServices:
    """All recognition services. Close them after use.

    No service is contacted, and no secret is read, until a query has to be recognised.

    Parameters
    ----------
    secrets
        Source of the keys and tokens.
    audd_url, acrcloud_url, acoustid_url
        Addresses of the services. ACRCloud's address belongs to a project and may be empty.
    timing
        Clock and time limit of all services.
    """

    def __init__(
        self,
        secrets: Secrets,
        *,
        audd_url: str,
        acrcloud_url: str,
        acoustid_url: str,
        timing: Timing = Timing(),  # noqa: B008  it is immutable
    ) -> None:
        self._client = new_client()
        recognisers: list[Recogniser] = [
            AudD(audd_url, secrets, audd_service(self._client, timing)),
            AcrCloud(acrcloud_url, secrets, acrcloud_service(self._client, timing)),
            AcoustId(acoustid_url, secrets, acoustid_service(self._client, timing)),
        ]
        self._by_name = {recogniser.name: recogniser for recogniser in recognisers}

    def named(self, name: str) -> Recogniser:
        """Return the recogniser that asks this service: ``audd``, ``acrcloud`` or ``acoustid``.

        Raises
        ------
        KeyError
            If there is no such service.
        """
        return self._by_name[name]

    def close(self) -> None:
        """Close the connections of all services."""
        self._client.close()
