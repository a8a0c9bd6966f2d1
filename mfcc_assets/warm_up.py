"""Every compiled kernel at once, for those who would rather wait now than at the first answer."""

from math import inf

import numpy as np

from mfcc_assets.features import mfcc as cepstra
from mfcc_assets.features.fingerprint import Fingerprints, fingerprint
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.statistics import second_moments
from mfcc_assets.recognition.match import shortlist
from mfcc_assets.search.cascade import Query
from mfcc_assets.similarity.dtw import kernels as dtw
from mfcc_assets.similarity.dtw.distance import DTW
from mfcc_assets.similarity.dtw.local_alignment import local_alignments
from mfcc_assets.similarity.dtw.path import warping_path


def warm_up() -> None:
    """Compile every kernel for what a library gives it, or load it from Numba's cache."""
    dtw.warm_up()
    warping_path(np.zeros(2), np.zeros(2))
    local_alignments(np.zeros((2, 2)), close=1, shortest=(1, 1), most=1)
    cepstra.warm_up()
    for precision in (np.float32, np.float64):
        second_moments(np.zeros((1, 1), precision))
    _warm_up_comparing()
    _warm_up_recognising()


def _warm_up_comparing() -> None:
    contour = np.zeros((2, 1), np.float32)
    query = Query(contour, DTW, np.ones(1))
    query.nearest([""], RaggedFrames.of([contour], 1), count=1)
    query.distance_within(contour, inf)


def _warm_up_recognising() -> None:
    parameters = CepstraParameters()
    track = np.random.default_rng(0).normal(size=(1000, parameters.coefficients)).astype(np.float32)
    fingerprints = Fingerprints.of([("", fingerprint(track, parameters))])
    # Those of a stored index are mapped into memory. Numba has another kernel for arrays that must not be written to.
    for array in (fingerprints.frames, fingerprints.starts):
        array.flags.writeable = False
    shortlist(track, fingerprints, parameters)
