"""Estimate the costs of a library in Azure: ``python deploy/costs.py`` prints the tables of COSTS.md."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

HOURS = 730
SECONDS = HOURS * 3600


@dataclass(frozen=True)
class Price:
    """A list price in US dollars, with the date and the region of its source."""

    dollars: float
    unit: str
    seen: str


_QUOTED = "2026-04-30, West US 2"
PRICES = {
    "Container Apps, core": Price(0.000034, "s", _QUOTED),
    "Container Apps, memory": Price(0.000004, "GiB s", _QUOTED),
    "Blob, hot, zone-redundant": Price(
        0.023, "GB month", f"{_QUOTED}: 0.0184 for locally redundant, plus 25 % as in East US"
    ),
    "Blob, write or list": Price(0.0625, "10,000", "undated, East US, zone-redundant"),
    "Blob, read": Price(0.004, "10,000", _QUOTED),
    "Azure SQL serverless, core": Price(0.5218, "h", "2026-07-26, West US 2"),
    "Azure SQL, storage": Price(0.115, "GB month", "undated"),
    "PostgreSQL B1ms": Price(0.017, "h", "2026-08-10, East US 2"),
    "PostgreSQL, storage": Price(0.115, "GB month", "2026-08-10, East US 2"),
    "Cosmos DB serverless": Price(0.25, "million RU", "undated, single region"),
    "Cosmos DB, storage": Price(0.25, "GB month", "undated, single region"),
    "Private endpoint": Price(0.01, "h", "2026-02-16"),
    "Private endpoint, data": Price(0.01, "GB", "2026-02-16"),
    "DNS zone": Price(0.50, "month", "undated"),
    "Key Vault": Price(0.03, "10,000", _QUOTED),
    "Container Registry Basic": Price(0.1666, "day", "2026-08-10, East US 2"),
    "Log Analytics": Price(2.30, "GB", f"{_QUOTED}; 5 GB per month are free"),
    "Data to the internet": Price(0.087, "GB", f"{_QUOTED}; 100 GB per month are free"),
}

TRACK_MINUTES = 4
AUDIO_GB = TRACK_MINUTES * 60 * 192_000 / 8 / 1e9
FEATURES_GB = TRACK_MINUTES / 60 * 0.017
ARTWORK_GB = 50e-6
FINGERPRINT_GB = 12e-6
BLOBS_A_TRACK = 5
CORE_SECONDS_A_TRACK = 0.41 * TRACK_MINUTES * 60 / 163.5
SLOWER_IN_AZURE = 2
LOOK_SECONDS = 5
SECONDS_A_PAGE = 0.1
BLOBS_A_PAGE = 5000
RESTS = 10
SWEEPS_AN_HOUR, LIBRARY_SWEEPS_AN_HOUR = 6, 1 / 6
AWAKE_HOURS = (15 + 5 + 1) / 60
FREE_CORE_SECONDS, FREE_MEMORY_SECONDS = 180_000, 360_000
FREE_LOGS_GB, FREE_EGRESS_GB = 5, 100
ENDPOINTS, ZONES = 5, 7
PAGE_CORES, PAGE_GIBIBYTES = 1, 2


@dataclass(frozen=True)
class Library:
    """A library and its monthly use.

    Attributes
    ----------
    tracks
        Number of soundtracks.
    uploads
        Number of uploads per month.
    index_gb
        Measured size of one version of the index without its fingerprints.
    run_cores
        Cores of the code server, which runs use, with 2 GiB of memory each.
    sql_cores
        Cores of Azure SQL that are billed while the database is awake. Its least memory is billed as 0.7 cores.
    sql_gb
        Size of the database.
    logs_gb
        Logs per month.
    api_hours
        Hours per month in which the Functions app has a replica.
    page_hours
        Hours per month in which the web pages have a replica.
    """

    tracks: int
    uploads: int
    index_gb: float
    run_cores: int
    sql_cores: float
    sql_gb: float
    logs_gb: float
    api_hours: int
    page_hours: int


LIBRARIES = (
    Library(150, 100, 0.016, 1, 0.7, 1, 2, 10, 60),
    Library(10_000, 2_000, 0.0508, 2, 0.7, 1, 5, 100, 730),
    Library(1_000_000, 50_000, 3.8135, 4, 1.5, 5, 15, 730, 730),
)


def stored_gb(library: Library) -> float:
    """Return the size of all blobs in GB.

    These are the library, its index, whose versions share their segments, the uploads of a month and their copies, and
    the features of the uploads of a year.
    """
    soundtracks = library.tracks * (AUDIO_GB + FEATURES_GB + ARTWORK_GB)
    index = library.index_gb + library.tracks * FINGERPRINT_GB
    return soundtracks + index + library.uploads * (2 * AUDIO_GB + 12 * FEATURES_GB)


def listings(library: Library) -> float:
    """Return the number of pages that the sensors list in a month. A sensor rests after a slow listing."""
    pages = math.ceil(library.tracks / BLOBS_A_PAGE)
    interval = max(LOOK_SECONDS, (1 + RESTS) * pages * SECONDS_A_PAGE)
    return SECONDS / interval * pages + SECONDS / LOOK_SECONDS


def watching(_: Library) -> float:
    """Return the additional monthly cost if a sensor listed uploads every 0.12 s, as on a laptop."""
    return _price("Blob, write or list") * SECONDS * 4 / LOOK_SECONDS / 0.12 / 1e4


def request_units(library: Library) -> float:
    """Return the request units of Cosmos DB in a month.

    An upload takes 200. A sweep of uploads has five queries, one of which lists all answered uploads.
    """
    return SWEEPS_AN_HOUR * HOURS * (30 + library.uploads / 20) + 200 * library.uploads


def containers(library: Library) -> float:
    """Return the monthly cost of code server, daemon and webserver, which never stop, and of the Functions app."""
    cores, gibibytes = library.run_cores + 2 * 0.5, 2 * library.run_cores + 2 * 1
    core_seconds = cores * SECONDS + 0.5 * library.api_hours * 3600 - FREE_CORE_SECONDS
    memory_seconds = gibibytes * SECONDS + library.api_hours * 3600 - FREE_MEMORY_SECONDS
    return _price("Container Apps, core") * core_seconds + _price("Container Apps, memory") * memory_seconds


def pages(library: Library) -> float:
    """Return the monthly cost of the app of the web pages."""
    seconds = library.page_hours * 3600
    cost_a_second = PAGE_CORES * _price("Container Apps, core") + PAGE_GIBIBYTES * _price("Container Apps, memory")
    return seconds * cost_a_second


def storage(library: Library) -> float:
    """Return the monthly cost of blobs, of the listings of sensors, and of 200 requests per upload."""
    requests = listings(library) + 100 * library.uploads
    reads = SECONDS / LOOK_SECONDS + 100 * library.uploads
    return (
        _price("Blob, hot, zone-redundant") * stored_gb(library)
        + _price("Blob, write or list") * requests / 1e4
        + _price("Blob, read") * reads / 1e4
    )


def sql_awake(library: Library) -> float:
    """Return the hours per month in which the database is awake.

    Sweeps of the library, uploads (at random times) and callers resume it. It pauses a quarter of an hour after the
    last query, and pausing takes one to ten minutes. Listeners who only browse are counted with the callers.
    """
    between_sweeps = max(0, 1 - LIBRARY_SWEEPS_AN_HOUR * AWAKE_HOURS)
    between_uploads = math.exp(-library.uploads / HOURS * AWAKE_HOURS)
    return max(HOURS * (1 - between_sweeps * between_uploads), library.api_hours)


def sql(library: Library) -> float:
    hours = sql_awake(library)
    return (
        _price("Azure SQL serverless, core") * library.sql_cores * hours + _price("Azure SQL, storage") * library.sql_gb
    )


def postgres(_: Library) -> float:
    return _price("PostgreSQL B1ms") * HOURS + _price("PostgreSQL, storage") * 32


def cosmos(library: Library) -> float:
    return _price("Cosmos DB serverless") * request_units(library) / 1e6 + _price("Cosmos DB, storage") * 1


def network(library: Library) -> float:
    """Return the monthly cost of private endpoints, of the data that passes through them, and of DNS zones."""
    gigabytes = library.uploads * 3 * AUDIO_GB + 10
    return (
        _price("Private endpoint") * ENDPOINTS * HOURS
        + _price("Private endpoint, data") * gigabytes
        + _price("DNS zone") * ZONES
    )


def others(library: Library) -> float:
    """Return the monthly cost of the registry, the vault and the logs."""
    return (
        _price("Container Registry Basic") * 365 / 12
        + _price("Key Vault") * 5 * SECONDS / 300 / 1e4
        + _price("Log Analytics") * max(0, library.logs_gb - FREE_LOGS_GB)
    )


def listening(library: Library) -> float:
    """Return the monthly cost of playing five tracks per upload to their end over the internet."""
    return _price("Data to the internet") * max(0, library.uploads * 5 * AUDIO_GB - FREE_EGRESS_GB)


MONTHLY: Mapping[str, Callable[[Library], float]] = {
    "Container Apps": containers,
    "Web pages": pages,
    "Azure SQL": sql,
    "Blob storage": storage,
    "Network": network,
    "PostgreSQL": postgres,
    "Cosmos DB": cosmos,
    "Registry, vault, logs": others,
    "Listening": listening,
}


def analysis_core_seconds(library: Library) -> float:
    """Return the core seconds of the first analysis, on cores half as fast as those of the measurement."""
    return library.tracks * CORE_SECONDS_A_TRACK * SLOWER_IN_AZURE


def first_analysis(library: Library) -> float:
    """Return the largest cost of the first analysis: additional cores, requests, and data through private endpoints."""
    requests = library.tracks * BLOBS_A_TRACK / 1e4
    return (
        _price("Container Apps, core") * analysis_core_seconds(library)
        + (_price("Blob, write or list") + _price("Blob, read")) * requests
        + _price("Private endpoint, data") * library.tracks * (AUDIO_GB + 2 * FEATURES_GB)
    )


def tables() -> str:
    """Return the tables in Markdown: prices, amounts, monthly costs, and costs of the first analysis."""
    sizes = [f"{library.tracks:,} tracks" for library in LIBRARIES]
    prices = [[name, f"{price.dollars:.6f}".rstrip("0"), price.unit, price.seen] for name, price in PRICES.items()]
    monthly = [[name, *(f"{cost(library):,.0f}" for library in LIBRARIES)] for name, cost in MONTHLY.items()]
    total = ["**total**", *(f"**{sum(cost(each) for cost in MONTHLY.values()):,.0f}**" for each in LIBRARIES)]
    amounts = [
        ["uploads per month", *(f"{library.uploads:,}" for library in LIBRARIES)],
        ["blobs, GB", *(f"{stored_gb(library):,.1f}" for library in LIBRARIES)],
        ["listed pages per month", *(f"{listings(library):,.0f}" for library in LIBRARIES)],
        [
            "additional dollars per month if the sensor waited for uploads",
            *(f"{watching(library):,.0f}" for library in LIBRARIES),
        ],
        ["hours per month in which the pages run", *(f"{library.page_hours:,}" for library in LIBRARIES)],
        ["hours per month in which Azure SQL is awake", *(f"{sql_awake(library):,.0f}" for library in LIBRARIES)],
        ["million request units per month", *(f"{request_units(library) / 1e6:,.1f}" for library in LIBRARIES)],
    ]
    once = [
        ["core hours", *(f"{analysis_core_seconds(library) / 3600:,.1f}" for library in LIBRARIES)],
        [
            "hours on the code server",
            *(f"{analysis_core_seconds(library) / 3600 / library.run_cores:,.1f}" for library in LIBRARIES),
        ],
        ["dollars at most", *(f"{first_analysis(library):,.2f}" for library in LIBRARIES)],
    ]
    return "\n\n".join(
        [
            _table(["item", "US dollars", "per", "source"], prices),
            _table(["amount", *sizes], amounts),
            _table(["US dollars per month", *sizes], [*monthly, total]),
            _table(["first analysis", *sizes], once),
        ]
    )


def _price(name: str) -> float:
    return PRICES[name].dollars


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    print(tables())  # noqa: T201
