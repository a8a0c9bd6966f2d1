"""The kernel of dynamic time warping beside its peers."""

from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.report import Section


def measure(corpus: Corpus) -> Section:
    raise NotImplementedError
