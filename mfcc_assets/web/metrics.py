"""Figures for Prometheus: requests, uploads that wait, and the index that answers with its quality."""

import time
from collections.abc import Callable, Iterator

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from mfcc_assets.errors import MfccError
from mfcc_assets.pipeline.upload_queue import UploadQueue, upload_queue
from mfcc_assets.web.renewed import Renewed
from mfcc_assets.web.site import Site

_KEPT_SECONDS = 10.0
_NO_ROUTE = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})


class LibraryFigures(Collector):
    """Figures of the stores, which are read when they are asked for. They are up to ten seconds old.

    Parameters
    ----------
    opened
        What the requests share.
    """

    def __init__(self, opened: Site) -> None:
        self._site = opened
        self._queue: Renewed[UploadQueue] = Renewed(_KEPT_SECONDS)

    def describe(self) -> list[Metric]:
        """Return nothing, so that no store is read when the app is made. Prometheus's library calls this."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the figures that can be read. Prometheus's library calls this."""
        yield from _read(self._of_queue)
        yield from _read(self._of_index)

    def _of_queue(self) -> Iterator[Metric]:
        queue = self._queue.get("", lambda: upload_queue(self._site.library))
        waiting = GaugeMetricFamily("mfcc_uploads_waiting", "Uploads without an answer", labels=["state"])
        for state, number in queue.counts.items():
            waiting.add_metric([state], number)
        yield waiting
        yield GaugeMetricFamily("mfcc_oldest_upload_age_seconds", "Age of the oldest upload that waits", queue.age())

    def _of_index(self) -> Iterator[Metric]:
        index = self._site.published.opened().index
        yield InfoMetricFamily("mfcc_index", "The index that answers", {"version": index.version})
        yield GaugeMetricFamily("mfcc_index_tracks", "Tracks of the index that answers", len(index.tracks))
        quality = GaugeMetricFamily("mfcc_quality", "Measured quality of the index", labels=["figure"])
        for name, figure in self._site.library.indexes.read_quality(index.version).items():
            if figure is not None:
                quality.add_metric([name], figure)
        yield quality


def add_metrics(app: Flask, opened: Site) -> None:
    """Let the app count its requests, and answer ``/metrics``."""
    # Each app has a registry of its own, so that the apps of several libraries do not count for each other.
    registry = CollectorRegistry()
    labels = ["method", "route", "status"]
    requests = Counter("mfcc_requests", "Requests", labels, registry=registry)
    seconds = Histogram("mfcc_request_seconds", "Time until the answer begins", ["route"], registry=registry)
    registry.register(LibraryFigures(opened))

    def begin() -> None:
        g.begun = time.perf_counter()

    # The other functions before a request may refuse it.
    app.before_request_funcs.setdefault(None, []).insert(0, begin)

    @app.after_request
    def count(response: Response) -> Response:
        # A route names no track and no upload, and a caller cannot make up any number of them.
        route = request.url_rule.rule if request.url_rule else _NO_ROUTE
        method = request.method if request.method in _METHODS else "other"
        requests.labels(method, route, str(response.status_code)).inc()
        if "begun" in g:
            seconds.labels(route).observe(time.perf_counter() - g.begun)
        return response

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _read(figures: Callable[[], Iterator[Metric]]) -> list[Metric]:
    try:
        return list(figures())
    except MfccError:
        return []  # `/readyz` tells that a store is away, and the pages that there is no usable index
