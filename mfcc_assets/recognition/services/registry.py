"""The recognition services of one process: so each remembers how often it was asked, and that it is down."""

from mfcc_assets.recognition.recogniser import Recogniser
from mfcc_assets.recognition.services.acoustid import AcoustId, acoustid_service
from mfcc_assets.recognition.services.acrcloud import AcrCloud, acrcloud_service
from mfcc_assets.recognition.services.audd import AudD, audd_service
from mfcc_assets.recognition.services.http import new_client
from mfcc_assets.recognition.services.pacing import Timing
from mfcc_assets.recognition.services.queries import Secrets


class RecognitionServices:
    """Every service, to be closed after use. Nothing is asked, and no secret read, before a query is to be recognised.

    Parameters
    ----------
    secrets
        Where keys and tokens are.
    audd_url, acrcloud_url, acoustid_url
        Addresses; ACRCloud's is that of a project, and may be empty.
    """

    def __init__(
        self,
        secrets: Secrets,
        *,
        audd_url: str,
        acrcloud_url: str,
        acoustid_url: str,
        timing: Timing = Timing(),  # noqa: B008  it cannot be changed
    ) -> None:
        self._client = new_client()
        services: list[Recogniser] = [
            AudD(audd_url, secrets, audd_service(self._client, timing)),
            AcrCloud(acrcloud_url, secrets, acrcloud_service(self._client, timing)),
            AcoustId(acoustid_url, secrets, acoustid_service(self._client, timing)),
        ]
        self._by_name = {service.name: service for service in services}

    def named(self, name: str) -> Recogniser:
        """The service of a name: ``audd``, ``acrcloud`` or ``acoustid``."""
        return self._by_name[name]

    def close(self) -> None:
        self._client.close()
