"""The kernel of dynamic time warping compared with its peers."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import aeon.distances
import dtaidistance.dtw
import dtw as dtw_python
import fastdtw
import librosa
import numba
import numpy as np
import tslearn.metrics
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mfcc_assets.similarity.dtw import anti_diagonals
from mfcc_assets.similarity.dtw.kernels import Curves, bounded_distance, dtw_distance, warm_up
from mfcc_assets_tests.benchmarks.corpus import Corpus
from mfcc_assets_tests.benchmarks.measuring import Measured, in_turns
from mfcc_assets_tests.benchmarks.report import Section

SHORT, LONG = 2_400, 24_000
MATRIX_LONG = 8_000
"""Length of the long curves for peers that store the whole matrix."""

BAND = 0.1
COEFFICIENT = 1  # COE_2 varies most
TARGET = 40
REACHED_FOR = 60

TURN_SECONDS = 0.02
"""Least time of a turn. A contestant repeats its call for this long, so that its code and data are in the cache."""

COMPARISONS_A_THREAD = 4
THREADS_TURNS = 9
GAIN_OF_TWO = 1.8

OURS, FASTDTW = "ours", "fastdtw"


@dataclass(frozen=True)
class Peer:
    """Another implementation of DTW.

    `distance` takes two curves and the half-width of the band in frames, or None for no band.
    """

    distance: Callable[[NDArray[np.float64], NDArray[np.float64], int | None], float]
    longest: int
    cost: str
    exact: bool = True
    banded: bool = True


def _dtaidistance(a: NDArray[np.float64], b: NDArray[np.float64], half_width: int | None) -> float:
    window = None if half_width is None else half_width + 1
    return dtaidistance.dtw.distance_fast(a, b, window=window, inner_dist="euclidean")


def _aeon(a: NDArray[np.float64], b: NDArray[np.float64], half_width: int | None) -> float:
    return aeon.distances.dtw_distance(a, b, window=None if half_width is None else half_width / len(a))


def _tslearn(a: NDArray[np.float64], b: NDArray[np.float64], half_width: int | None) -> float:
    if half_width is None:
        return tslearn.metrics.dtw(a, b)
    return tslearn.metrics.dtw(a, b, global_constraint="sakoe_chiba", sakoe_chiba_radius=half_width)


def _librosa(a: NDArray[np.float64], b: NDArray[np.float64], half_width: int | None) -> float:
    band: dict[str, Any] = (
        {} if half_width is None else {"global_constraints": True, "band_rad": (half_width + 1) / len(a)}
    )
    return librosa.sequence.dtw(a[np.newaxis], b[np.newaxis], metric="cityblock", backtrack=False, **band)[-1, -1]


def _dtw_python(a: NDArray[np.float64], b: NDArray[np.float64], half_width: int | None) -> float:
    band = {} if half_width is None else {"window_type": "sakoechiba", "window_args": {"window_size": half_width}}
    kind = {"dist_method": "cityblock", "step_pattern": "symmetric1", "distance_only": True}
    return dtw_python.dtw(a[:, np.newaxis], b[:, np.newaxis], **kind, **band).distance


def _fastdtw(a: NDArray[np.float64], b: NDArray[np.float64], _: int | None) -> float:
    return fastdtw.fastdtw(a, b, radius=1)[0]


PEERS: Mapping[str, Peer] = {
    "dtaidistance (C)": Peer(_dtaidistance, LONG, "absolute"),
    "aeon": Peer(_aeon, MATRIX_LONG, "squared"),
    "tslearn": Peer(_tslearn, MATRIX_LONG, "squared, root"),
    "librosa": Peer(_librosa, MATRIX_LONG, "absolute"),
    "dtw-python": Peer(_dtw_python, MATRIX_LONG, "absolute"),
    FASTDTW: Peer(_fastdtw, LONG, "absolute", exact=False, banded=False),
}


@dataclass(frozen=True)
class Case:
    frames: int
    half_width: int | None
    rates: Mapping[str, float]
    """Cells per second of each contestant."""

    @property
    def name(self) -> str:
        return f"{self.frames:,} × {self.frames:,}" + ("" if self.half_width is None else f", banded {BAND:.0%}")

    @property
    def best_peer(self) -> str:
        return max((name for name, peer in PEERS.items() if peer.exact), key=self.rates.__getitem__)

    @property
    def advantage(self) -> float:
        return self.rates[OURS] / self.rates[self.best_peer]


def measure(corpus: Corpus) -> Section:
    a, b = _two_curves(corpus)
    warm_up()
    for peer in PEERS.values():
        for half_width in (None, 10):
            peer.distance(a[:100], b[:100], half_width)
    cases = [
        _case(a[:frames], b[:frames], half_width, runs)
        for frames, runs in ((SHORT, 9), (LONG, 3))
        for half_width in (None, round(BAND * frames))
    ]

    reached = [case.advantage >= TARGET for case in cases]
    section = Section("The kernel of dynamic time warping")
    section.text(
        "Each contestant compares one coefficient (COE_2) of two tracks of the corpus in one thread. The table shows "
        f"10⁹ cells per second. The target is {TARGET} times the rate of the best peer in all four cases, and the "
        f"stretch goal is {REACHED_FOR}. Measured: {', '.join(f'{case.advantage:.0f}' for case in cases)} times. The "
        "target is "
        + ("reached in all four cases." if all(reached) else f"reached in {sum(reached)} of the four cases.")
    )
    section.table(
        ["", "cost", *(case.name for case in cases)],
        [
            [OURS, "absolute", *(f"**{_billions(case.rates[OURS])}**" for case in cases)],
            *(
                [name, peer.cost, *(_billions(case.rates[name]) if name in case.rates else "–" for case in cases)]
                for name, peer in PEERS.items()
            ),
            ["ours, relative to the best peer", "", *(f"{case.advantage:.0f} × ({case.best_peer})" for case in cases)],
        ],
    )
    section.text(
        "A rate is the number of cells in the band divided by the median time. All contestants have bands of the same "
        "half-width. librosa visits cells outside of its band, and dtaidistance skips some cells inside; both are "
        "rated by the cells in the band. aeon, tslearn, librosa and dtw-python store the whole matrix, which takes at "
        f"least {8 * LONG**2 / 1e9:.1f} GB for {LONG:,} frames, so they compare {MATRIX_LONG:,} frames instead. "
        "fastdtw (radius 1) visits few cells, but is rated as if it had visited all. It has no band. It is not exact, "
        "so it does not count as the best peer."
    )
    section.text(_agreement(a[:SHORT], b[:SHORT]))
    section.plot(_bars(cases), "kernels", "Cells per second of one thread, on a logarithmic scale.")
    _add_ceiling(section, cases)
    _add_threads(section, a, b)
    _add_contours(section)
    return section.text(
        "The kernel computes two anti-diagonals in one loop and keeps intermediate values in registers. These changes "
        "helped most: two diagonals instead of one, unsigned indices instead of slices, and diagonals that consist of "
        "whole, aligned vectors. These were tried and left out: four diagonals at a time (a tenth slower), comparing "
        "costs as integers (hardly faster), storing cells by their distance from the main diagonal (slower), and "
        "telling LLVM that the arrays do not overlap (2 to 12% faster, but possible only with private parts of Numba)."
    )


def _two_curves(corpus: Corpus) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first `LONG` frames of COE_2 of two tracks from different packages."""
    track_features = corpus.track_features
    found: dict[str, NDArray[np.float64]] = {}
    for track in corpus.tracks:
        if track.audio_id in track_features and track.package not in found:
            cepstra = corpus.store.read_cepstra(track.audio_id, corpus.parameters.cepstra)
            if len(cepstra) >= LONG:
                found[track.package] = cepstra[:LONG, COEFFICIENT].astype(np.float64)
        if len(found) == 2:
            break
    a, b = found.values()
    return a, b


def _case(a: NDArray[np.float64], b: NDArray[np.float64], half_width: int | None, runs: int) -> Case:
    frames = len(a)
    band = None if half_width is None else BAND
    contestants: dict[str, Callable[[], object]] = {OURS: partial(dtw_distance, a, b, band=band)}
    cells = {OURS: _cells(frames, half_width)}
    for name, peer in PEERS.items():
        if half_width is None or peer.banded:
            length = min(frames, peer.longest)
            width = None if half_width is None else half_width * length // frames
            contestants[name] = partial(peer.distance, a[:length], b[:length], width)
            cells[name] = _cells(length, width)
    calls = {name: _calls_in_a_turn(contestant) for name, contestant in contestants.items()}
    seconds = in_turns({name: partial(_repeat, call, calls[name]) for name, call in contestants.items()}, runs)
    return Case(frames, half_width, {name: cells[name] * calls[name] / seconds[name].median for name in contestants})


def _calls_in_a_turn(call: Callable[[], object]) -> int:
    return max(1, round(TURN_SECONDS / in_turns({"": call}, 1)[""].median))


def _repeat(call: Callable[[], object], times: int) -> None:
    for _ in range(times):
        call()


def _cells(frames: int, half_width: int | None) -> int:
    if half_width is None:
        return frames**2
    outside = frames - 1 - half_width
    return frames**2 - outside * (outside + 1)


def _agreement(a: NDArray[np.float64], b: NDArray[np.float64]) -> str:
    """Check that peers with our cost find our distance, and describe the error of fastdtw.

    Raises
    ------
    RuntimeError
        If a peer finds another distance.
    """
    farthest = 0.0
    for half_width in (None, round(BAND * len(a))):
        ours = dtw_distance(a, b, band=None if half_width is None else BAND)
        for name, peer in PEERS.items():
            if peer.exact and peer.cost == "absolute":
                difference = abs(peer.distance(a, b, half_width) / ours - 1)
                if difference > 1e-4:
                    raise RuntimeError(f"{name} finds another distance: {difference:.1e} apart")
                farthest = max(farthest, difference)
    too_large = PEERS[FASTDTW].distance(a, b, None) / dtw_distance(a, b) - 1
    return (
        "Exact peers with the same cost, the absolute difference, find the same distance as ours, with and without a "
        f"band. The largest relative difference is {farthest:.0e}, because ours adds in float32 and they add in "
        f"float64. The distance of fastdtw is {too_large:.0%} too large."
    )


def _bars(cases: list[Case]) -> Figure:
    figure = Figure(figsize=(9, 3.6))
    axes = figure.subplots()
    names = [OURS, *PEERS]
    for number, name in enumerate(names):
        places = [place for place, case in enumerate(cases) if name in case.rates]
        at = [place + (number - len(names) / 2) * 0.12 for place in places]
        axes.bar(at, [cases[place].rates[name] for place in places], 0.11, label=name)
    axes.set_yscale("log")
    axes.set_xticks(range(len(cases)), [case.name.replace(", ", "\n") for case in cases])
    axes.set_ylabel("cells a second")
    axes.legend(ncols=4, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.12))
    return figure


CACHED = 1_024
REPEATED = 5_000
CHAINED = 8


@numba.njit
def _repeated_relaxation(
    even: NDArray[np.float32], odd: NDArray[np.float32], a: NDArray[np.float32], b: NDArray[np.float32]
) -> None:
    # Arrays that Numba allocates are aligned.
    even, odd, a, b = even.copy(), odd.copy(), a.copy(), b.copy()
    first, end = np.uint64(anti_diagonals.VECTOR), np.uint64(anti_diagonals.VECTOR + CACHED)
    for _ in range(REPEATED):
        anti_diagonals.relax_two(even, odd, a, b, first, end, np.uint64(0))


@numba.njit
def _repeated_arithmetic(
    costs: NDArray[np.float32], others: NDArray[np.float32], a: NDArray[np.float32], b: NDArray[np.float32]
) -> None:
    """Run the arithmetic of a cell (two minima, a subtraction, an absolute value, an addition) `CHAINED` times for each
    load and store."""
    for _ in range(REPEATED // CHAINED):
        for k in range(costs.size):
            cost, other, frame, other_frame = costs[k], others[k], a[k], b[k]
            for _ in range(CHAINED):
                cost = min(cost, other, frame) + abs(cost - other_frame)
            costs[k] = cost


def _add_ceiling(section: Section, cases: list[Case]) -> None:
    arrays = np.random.default_rng(0).random((4, CACHED + anti_diagonals.VECTOR), dtype=np.float32)
    loops = {
        "arithmetic": partial(_repeated_arithmetic, *arrays.copy()),
        "loop": partial(_repeated_relaxation, *arrays.copy()),
    }
    for loop in loops.values():
        loop()
    seconds = in_turns(loops, 9)
    arithmetic = arrays[0].size * (REPEATED // CHAINED) * CHAINED / seconds["arithmetic"].median
    loop_alone = 2 * CACHED * REPEATED / seconds["loop"].median
    best_peer = max(case.rates[case.best_peer] for case in cases)
    widest = max(case.rates[OURS] for case in cases)
    narrow = min((case for case in cases if case.half_width is not None), key=lambda case: case.frames)
    pairs, narrow_cells = narrow.frames, _cells(narrow.frames, narrow.half_width)
    beside = narrow_cells / pairs * (1 / narrow.rates[OURS] - 1 / loop_alone)
    section.text(
        "**Upper limit.** A cell takes five vector instructions: two minima, a subtraction, an absolute value and an "
        f"addition. These instructions alone, on registers, reach {_billions(arithmetic)} · 10⁹ cells per second. The "
        f"loop of the kernel, with 2.5 loads and 1 store per cell, reaches {_billions(loop_alone)} · 10⁹ on "
        f"{CACHED:,} cells in the first-level cache. The best of our four cases reaches {widest / arithmetic:.0%} of "
        f"the arithmetic and {widest / loop_alone:.0%} of the loop. The arithmetic alone would be "
        f"{arithmetic / best_peer:.0f} times the highest rate of the best peer, and the loop "
        f"{loop_alone / best_peer:.0f} times. So these are the limits for the target of {TARGET} and the stretch goal "
        f"of {REACHED_FOR} with float32 on this processor. The shortest diagonals have "
        f"{narrow_cells / pairs / 2:.0f} cells. Each pair of them takes "
        f"{narrow_cells / pairs / narrow.rates[OURS] * 1e9:.0f} ns, which is {beside * 1e9:.0f} ns more than the loop "
        "needs for their cells. The extra time goes to filling the last vector, to the bounds at both ends, and to the "
        "call from Python."
    )


def _add_threads(section: Section, a: NDArray[np.float64], b: NDArray[np.float64]) -> None:
    cores = os.cpu_count() or 1
    compare = partial(_repeat, partial(dtw_distance, a, b), COMPARISONS_A_THREAD)
    with ThreadPoolExecutor(cores) as pool:
        seconds = in_turns(
            {"one": compare, "all": lambda: [*pool.map(lambda _: compare(), range(cores))]}, THREADS_TURNS
        )
    turns = zip(seconds["one"].runs, seconds["all"].runs, strict=True)
    gains = Measured(tuple(cores * one / together for one, together in turns))
    section.text(
        f"**Threads.** {cores} threads, each with {COMPARISONS_A_THREAD} comparisons of {LONG:,} frames, do "
        f"{gains.median:.2f} times the work of one thread in the same time, because the kernels release Python's lock. "
        f"This is the median of {THREADS_TURNS} turns, each with one thread and then with all; the range is "
        f"{gains.least:.2f} to {gains.most:.2f}. The target is {GAIN_OF_TWO} times on two cores."
    )


def _add_contours(section: Section) -> None:
    """Measure what rankings compare: short contours of 13 coefficients, with and without a limit."""
    rows = []
    for frames in (60, 300, 600):
        walks = np.random.default_rng(frames).standard_normal((2, frames, 13)).cumsum(axis=1)
        compare = partial(bounded_distance, Curves(walks[0]), Curves(walks[1]), np.ones(13), band=BAND)
        distance, cells = compare(limit=np.inf)
        _, fewer_cells = compare(limit=distance / 2)
        seconds: dict[str, Measured] = in_turns(
            {"whole": partial(compare, limit=np.inf), "limited": partial(compare, limit=distance / 2)}, 101
        )
        whole, limited = (seconds[name].median for name in ("whole", "limited"))
        rows.append([frames, _billions(cells / whole), f"{fewer_cells / cells:.0%}", f"{limited / whole:.0%}"])
    section.text(
        f"**Contours.** Contours of 13 coefficients are compared with a band of {BAND:.0%}; calls from Python are "
        "part of the time. The last two columns show the share of cells and of time that remains if a comparison may "
        "stop at a limit of half the distance."
    )
    section.table(["frames", "10⁹ cells per second", "cells with the limit", "time with the limit"], rows)


def _billions(rate: float) -> str:
    return f"{rate / 1e9:.2g}" if rate < 1e10 else f"{rate / 1e9:.1f}"
