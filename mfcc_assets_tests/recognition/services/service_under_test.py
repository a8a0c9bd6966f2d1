"""A recognition service with its client, a test double that answers it, and a clock that tests control."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from mfcc_assets.errors import RecogniserUnavailable
from mfcc_assets.recognition.recogniser import Recogniser, RecognitionQuery
from mfcc_assets.recognition.services.pacing import Timing
from mfcc_assets.recognition.services.registry import RecognitionServices
from mfcc_assets.storage.secrets.environment import EnvironmentSecrets
from mfcc_assets_tests.services.recognition import (
    AcoustIdDouble,
    AcrCloudDouble,
    AudDDouble,
    ServiceDouble,
    serving,
)

SERVICES = ["audd", "acrcloud", "acoustid"]

# Timeouts are never longer than a listener's patience.
IMPATIENCE_SECONDS = 0.3


@dataclass
class Time:
    """A clock that advances by the time that is slept, and by one tick each time it is read.

    If it stands still, sleeping takes no time, so that calls one after the other act like calls at the same moment.
    """

    tick: float = 0.0
    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)
    stands_still: bool = False

    def clock(self) -> float:
        self.now += self.tick
        return self.now

    def sleep(self, seconds: float) -> None:
        if not self.stands_still:
            self.now += seconds
        if seconds:
            self.slept.append(seconds)


@dataclass
class ServiceUnderTest:
    """A recogniser, and the double that answers it."""

    double: ServiceDouble
    recogniser: Recogniser
    secrets: dict[str, str]
    time: Time


@contextmanager
def service_under_test(name: str, *, patience_seconds: float = 20.0, tick: float = 0.0) -> Iterator[ServiceUnderTest]:
    """Serve the double of a service, and yield both."""
    doubles: dict[str, Callable[[], ServiceDouble]] = {
        "audd": AudDDouble,
        "acrcloud": AcrCloudDouble,
        "acoustid": AcoustIdDouble,
    }
    double = doubles[name]()
    environment, time = {}, Time(tick)
    match double:
        case AudDDouble():
            environment["MFCC_SECRET_AUDD_TOKEN"] = double.token
        case AcrCloudDouble():
            environment["MFCC_SECRET_ACRCLOUD_KEY"] = double.key
            environment["MFCC_SECRET_ACRCLOUD_SECRET"] = double.secret
        case AcoustIdDouble():
            environment["MFCC_SECRET_ACOUSTID_KEY"] = double.key
    with serving(double):
        services = RecognitionServices(
            EnvironmentSecrets(environment),
            audd_url=f"{double.url}/",
            acrcloud_url=double.url,
            acoustid_url=f"{double.url}/v2/lookup",
            timing=Timing(patience_seconds, time.clock, time.sleep),
        )
        try:
            yield ServiceUnderTest(double, services.named(name), environment, time)
        finally:
            services.close()


def refusal(service: ServiceUnderTest, query: RecognitionQuery) -> RecogniserUnavailable:
    """Return the error with which a service refuses a query."""
    with pytest.raises(RecogniserUnavailable) as refused:
        service.recogniser.recognise(query)
    return refused.value
