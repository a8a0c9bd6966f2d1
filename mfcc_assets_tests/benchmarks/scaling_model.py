"""A simulation of large libraries: the time of a first load and of a week's new tracks, from rates that were measured.

A stage has a part that all cores share and a part that the process of the run does alone. Work is cut into bins by the
same function as in `mfcc_assets.compute`, and a core that is free takes the next bin.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfcc_assets.compute.equal_bins import equal_bins
from mfcc_assets.pipeline.work_on_shards import ITEMS_AT_ONCE

WEEKLY_SHARE = 0.002
"""Share of a library that is new each week."""

_BINS_A_SLOT, _JOBS = 4, 8
"""An engine cuts items into so many bins for each slot, and these into so many jobs."""

_SAMPLE = 20_000
"""Number of items that stand for all of a group."""


@dataclass(frozen=True)
class Grown:
    """A figure at two sizes of a library. Between and beyond them it grows with a power of the size.

    Attributes
    ----------
    sizes
        The two sizes, ascending.
    figures
        The figure at each size. If it did not grow, the last one holds for all sizes.

    Examples
    --------
    >>> Grown((100, 400), (1.0, 2.0)).at(1_600)
    4.0
    """

    sizes: tuple[int, int]
    figures: tuple[float, float]

    def at(self, size: int) -> float:
        first, last = self.figures
        if not 0 < first < last:
            return last
        power = np.log(last / first) / np.log(self.sizes[1] / self.sizes[0])
        return float(last * (size / self.sizes[1]) ** power)


@dataclass(frozen=True)
class Rates:
    """What was measured, in seconds.

    Attributes
    ----------
    look
        A look at a new file.
    features
        All features of a track, on one core.
    read
        Reading the features of a track for the first index, on one core.
    write
        Building and writing the index, for a track.
    shared
        What all cores share of the other stages of a first load, for a track on one core, by the stage.
    alone
        What the process of the run does alone in each stage, for an item.
    lists
        Writing the first recommendations of a track.
    run
        What a run for one new track takes after its features, by the stage.
    further
        What each further new track of a run adds, on one core.
    start, job, item
        The start of Spark, and what a job and an item cost beside the work.
    """

    look: float
    features: float
    read: float
    write: float
    shared: Mapping[str, Grown]
    alone: Mapping[str, float]
    lists: Grown
    run: Mapping[str, Grown]
    further: Grown
    start: float
    job: float
    item: float


@dataclass(frozen=True)
class Computers:
    """One machine, or the machine of the run with a cluster.

    Attributes
    ----------
    name
        Name in tables.
    cores
        Number of cores for work.
    cores_of_run
        Number of cores of the machine of the run, which are among `cores` unless there is a cluster.
    start
        Seconds until a cluster has started; None if there is none.
    """

    name: str
    cores: int
    cores_of_run: int
    start: float | None = None

    @property
    def paid_cores(self) -> int:
        return self.cores if self.start is None else self.cores + self.cores_of_run


@dataclass(frozen=True)
class Part:
    """A stage of a load.

    Attributes
    ----------
    name
        Name of the stage.
    items
        Number of items that the engine works on.
    each
        Seconds of the work on each, on one core.
    alone
        Seconds of the process of the run on one core.
    here
        Core seconds that only the cores of the machine of the run share.
    """

    name: str
    items: int = 0
    each: float = 0.0
    alone: float = 0.0
    here: float = 0.0


@dataclass(frozen=True)
class Load:
    """What the simulation says of a load.

    Attributes
    ----------
    seconds
        Time from the beginning to the end.
    worked
        Core seconds of work.
    paid
        Core seconds during which the cores are there.
    serial
        Seconds in which only the process of the run works, by the stage.
    """

    seconds: float
    worked: float
    paid: float
    serial: Mapping[str, float]

    @property
    def serial_seconds(self) -> float:
        return sum(self.serial.values())

    @property
    def longest_serial(self) -> str:
        return max(self.serial, key=lambda name: self.serial[name])


def last_end(seconds: Sequence[float] | NDArray[np.float64], cores: int) -> float:
    """Return when the last core ends, if each core that is free takes the next bin.

    Examples
    --------
    >>> last_end([3, 1, 1, 1], 2)
    3.0
    """
    free = [0.0] * cores
    for each in seconds:
        heapq.heapreplace(free, free[0] + float(each))
    return max(free)


def shared_seconds(part: Part, lengths: NDArray[np.float64], computers: Computers, rates: Rates) -> float:
    """Return how long the cores share the work of a stage.

    Parameters
    ----------
    part
        The stage. Its items are planned in groups, and a group begins after the one before it has ended.
    lengths : (tracks,)
        Lengths of tracks in any unit, longest first. The time of an item is in proportion to its length.
    computers, rates
        What computes, and what was measured.
    """
    if not part.items:
        return 0.0
    groups = -(-part.items // ITEMS_AT_ONCE)
    in_group = part.items / groups
    sample = lengths[np.linspace(0, len(lengths) - 1, min(_SAMPLE, round(in_group))).astype(np.int64)]
    costs = sample / sample.sum() * in_group * part.each
    bins = equal_bins(costs, _BINS_A_SLOT * computers.cores)
    seconds = np.add.reduceat(costs, [each.start for each in bins])
    if computers.start is None:
        return groups * last_end(seconds, computers.cores)
    jobs = min(_JOBS, len(bins)) * rates.job
    return groups * (last_end(seconds + rates.item * in_group / len(bins), computers.cores) + jobs)


def load(parts: Sequence[Part], lengths: NDArray[np.float64], computers: Computers, rates: Rates) -> Load:
    """Return what the stages of a load take, one after the other."""
    shared = sum(shared_seconds(part, lengths, computers, rates) for part in parts)
    serial = {part.name: part.alone + part.here / computers.cores_of_run for part in parts}
    start = 0.0 if computers.start is None else computers.start + rates.start
    seconds = start + shared + sum(serial.values())
    worked = sum(part.items * part.each + part.alone + part.here for part in parts)
    return Load(seconds, worked, seconds * computers.paid_cores, serial)


def first_load(tracks: int, rates: Rates) -> list[Part]:
    """Return the stages that load a library for the first time."""
    shared, alone = {name: rate.at(tracks) for name, rate in rates.shared.items()}, rates.alone
    return [
        Part("look at the files", here=tracks * rates.look),
        Part("features", tracks, rates.features, alone["features"] * tracks),
        Part("index", tracks, shared["index"], rates.write * tracks, rates.read * tracks),
        Part("candidates", tracks, shared["candidates"], alone["candidates"] * tracks),
        Part("rankings", tracks, shared["rankings"], alone["rankings"] * tracks),
        *(Part(name, alone=rates.run[name].at(tracks)) for name in ("quality", "publication")),
        Part("recommendations", alone=rates.lists.at(tracks) * tracks),
    ]


def week(tracks: int, rates: Rates) -> list[Part]:
    """Return the stages of the one run that adds the new tracks of a week to a library."""
    new = max(1, round(tracks * WEEKLY_SHARE))
    return [
        Part("look at the files", here=new * rates.look),
        Part("features", new, rates.features, rates.alone["features"] * new),
        *(Part(name, alone=rate.at(tracks)) for name, rate in rates.run.items()),
        Part("lists of the new tracks", new - 1, rates.further.at(tracks)),
    ]


def largest_within(hours: float, time_of: Callable[[int], float], most: int) -> int:
    """Return the largest library, to two digits, whose load ends in time; 0 if none does.

    Parameters
    ----------
    hours
        The time.
    time_of
        Seconds of the load of a library with so many tracks. They grow with the number.
    most
        Largest number of tracks that is tried.

    Examples
    --------
    >>> largest_within(1, lambda tracks: tracks / 100, most=10**9)
    360000
    """
    sizes = [digits * 10**power for power in range(1, 10) for digits in range(10, 100)]
    fit = 0
    low, high = 0, len(sizes)
    while low < high:
        middle = (low + high) // 2
        if sizes[middle] <= most and time_of(sizes[middle]) <= hours * 3600:
            fit, low = sizes[middle], middle + 1
        else:
            high = middle
    return fit
