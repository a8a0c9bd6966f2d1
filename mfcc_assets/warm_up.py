"""Compilation of all kernels at once, for callers that prefer to wait at their start and not at the first answer."""

from math import inf

import numpy as np

from mfcc_assets.features import mfcc
from mfcc_assets.features.fingerprint import Fingerprints, fingerprint
from mfcc_assets.features.frames import RaggedFrames
from mfcc_assets.features.parameters import CepstraParameters
from mfcc_assets.features.statistics import second_moments
from mfcc_assets.ids import AudioId
from mfcc_assets.recognition.duplicates import is_same_recording
from mfcc_assets.recognition.shortlist import shortlist
from mfcc_assets.search.cascade import ContourQuery
from mfcc_assets.search.window import Windows
from mfcc_assets.similarity.corrected_estimates import warm_up as warm_up_estimates
from mfcc_assets.similarity.dtw import kernels
from mfcc_assets.similarity.dtw.distance import DTW
from mfcc_assets.similarity.dtw.local_alignment import local_alignments
from mfcc_assets.similarity.dtw.path import warping_path
from mfcc_assets.similarity.projection import projected
from mfcc_assets.similarity.shared_neighbours import SharedNeighbours


def warm_up() -> None:
    """Compile every kernel for the types of a library's arrays, or load its machine code from disk."""
    kernels.warm_up()
    warping_path(np.zeros(2), np.zeros(2))
    local_alignments(np.zeros((2, 2)), close=1, shortest=(1, 1), count=1)
    mfcc.warm_up()
    for precision in (np.float32, np.float64):
        second_moments(np.zeros((1, 1), precision))
    projected(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32))
    _warm_up_comparison()
    _warm_up_recognition()
    _warm_up_windows()
    _warm_up_lists()


def _warm_up_comparison() -> None:
    contour = np.zeros((2, 1), np.float32)
    query = ContourQuery(contour, DTW, np.ones(1))
    query.nearest([AudioId("")], RaggedFrames.of([contour], 1), count=1)
    query.distance_within(contour, inf)
    warm_up_estimates()


def _warm_up_windows() -> None:
    points = np.zeros((2, 1), np.float32)
    search = Windows(points, points[:1], share=0).among(np.arange(2))
    search.tracks_of_each(np.array([0]))
    search.queries_of(0)


def _warm_up_lists() -> None:
    shared = SharedNeighbours.of(np.array([[1], [0]]), np.zeros((2, 1)))
    rows = np.array([[1]])
    shared.order(shared.neighbourhood(0), rows[0], np.zeros(1))
    shared.order_all(np.array([0]), rows, np.zeros((1, 1)))


def _warm_up_recognition() -> None:
    parameters = CepstraParameters()
    # It must change enough to be compared, and be as loud everywhere.
    steps = np.random.default_rng(0).normal(0, 30, (20, parameters.coefficients)) * (np.arange(13) > 0)
    track = np.repeat(steps, 50, axis=0).astype(np.float32)
    fingerprints = Fingerprints.of([(AudioId(""), fingerprint(track, parameters))])
    # The arrays of a stored index are memory-mapped and read-only. Numba compiles another version of a kernel for them.
    for array in (fingerprints.frames, fingerprints.starts):
        array.flags.writeable = False
    shortlist(track, [fingerprints], parameters)
    is_same_recording(fingerprints.frames, fingerprints.frames)
