"""What a service is sent of a query, and what it cannot be asked without."""

from mfcc_assets.core.errors import AudioError, RecogniserUnavailable, StoreError
from mfcc_assets.core.sample import Sample, cut_sample
from mfcc_assets.stores.recognisers.http import UnusableSample
from mfcc_assets.stores.recognition import Recording
from mfcc_assets.stores.secrets import SecretSource


def secret(secrets: SecretSource, name: str) -> str:
    """A secret, read anew for each query: it may be rotated.

    Raises
    ------
    RecogniserUnavailable
        There is none, or the vault is away.
    """
    try:
        return secrets.get(name)
    except StoreError as error:
        raise RecogniserUnavailable(error.what, subject=error.subject, remedy=error.remedy) from None


def sample(query: Recording) -> Sample:
    """A sample of a query.

    Raises
    ------
    RecogniserUnavailable
        None can be cut.
    """
    try:
        return cut_sample(query.path)
    except AudioError as error:
        raise UnusableSample(error.what, subject=error.subject, remedy=error.remedy) from None
