"""What a library costs in Azure: ``python deploy/costs.py`` prints the tables of COSTS.md."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

HOURS = 730
SECONDS = HOURS * 3600


@dataclass(frozen=True)
class Price:
    """A list price in US dollars, and where and when it was seen."""

    dollars: float
    unit: str
    seen: str


_API = "2026-04-30, West US 2"
PRICES = {
    "Container Apps, core": Price(0.000034, "s", _API),
    "Container Apps, memory": Price(0.000004, "GiB s", _API),
    "Blob, hot, zone-redundant": Price(0.023, "GB month", f"{_API}: locally redundant 0.0184, and 25 % as in East US"),
    "Blob, writing or listing": Price(0.0625, "10,000", "undated, East US, zone-redundant"),
    "Blob, reading": Price(0.004, "10,000", _API),
    "Azure SQL serverless, core": Price(0.5218, "h", "2026-07-26, West US 2"),
    "Azure SQL, storage": Price(0.115, "GB month", "undated"),
    "PostgreSQL B1ms": Price(0.017, "h", "2026-08-10, East US 2"),
    "PostgreSQL, storage": Price(0.115, "GB month", "2026-08-10, East US 2"),
    "Cosmos DB serverless": Price(0.25, "million RU", "undated, single region"),
    "Cosmos DB, storage": Price(0.25, "GB month", "undated, single region"),
    "Private endpoint": Price(0.01, "h", "2026-02-16"),
    "Private endpoint, data": Price(0.01, "GB", "2026-02-16"),
    "DNS zone": Price(0.50, "month", "undated"),
    "Key Vault": Price(0.03, "10,000", _API),
    "Container Registry Basic": Price(0.1666, "day", "2026-08-10, East US 2"),
    "Log Analytics": Price(2.30, "GB", f"{_API}; 5 GB a month are free"),
    "Data to the internet": Price(0.087, "GB", f"{_API}; 100 GB a month are free"),
}

TRACK_MINUTES = 4
AUDIO_GB = TRACK_MINUTES * 60 * 192_000 / 8 / 1e9
FEATURES_GB = TRACK_MINUTES / 60 * 0.017
ARTWORK_GB = 50e-6
SKETCH_GB = 12e-6
INDEX_VERSIONS = 5
BLOBS_A_TRACK = 5
CORE_SECONDS_A_TRACK = 0.46 * TRACK_MINUTES * 60 / 163.5
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


@dataclass(frozen=True)
class Library:
    """A library and what is asked of it.

    Attributes
    ----------
    index_gb
        One version of the index without its sketches, as measured.
    run_cores
        Of the code server, in which runs go on, with 2 GiB each.
    sql_cores
        Billed while it is awake. No less than 0.7, by the memory that it keeps.
    api_hours
        For which the Functions app is up.
    """

    tracks: int
    uploads: int
    index_gb: float
    run_cores: int
    sql_cores: float
    sql_gb: float
    logs_gb: float
    api_hours: int


LIBRARIES = (
    Library(150, 100, 0.016, 1, 0.7, 1, 2, 10),
    Library(10_000, 2_000, 0.0508, 2, 0.7, 1, 5, 100),
    Library(1_000_000, 50_000, 3.8135, 4, 1.5, 5, 15, 730),
)


def stored_gb(library: Library) -> float:
    """Blobs: the library, five versions of its index, a month of uploads and their copies, a year of their features."""
    of_library = library.tracks * (AUDIO_GB + FEATURES_GB + ARTWORK_GB)
    of_indexes = INDEX_VERSIONS * (library.index_gb + library.tracks * SKETCH_GB)
    return of_library + of_indexes + library.uploads * (2 * AUDIO_GB + 12 * FEATURES_GB)


def listings(library: Library) -> float:
    """Pages that the sensors list in a month; a look that takes long is followed by a rest."""
    pages = math.ceil(library.tracks / BLOBS_A_PAGE)
    interval = max(LOOK_SECONDS, (1 + RESTS) * pages * SECONDS_A_PAGE)
    return SECONDS / interval * pages + SECONDS / LOOK_SECONDS


def watching(_: Library) -> float:
    """What it would cost beside that to watch for uploads all the time, as at home: a look every 0.12 s."""
    return _price("Blob, writing or listing") * SECONDS * 4 / LOOK_SECONDS / 0.12 / 1e4


def request_units(library: Library) -> float:
    """Of Cosmos DB: 200 an upload, and five queries at every sweep of them, one of which lists what was answered."""
    return SWEEPS_AN_HOUR * HOURS * (30 + library.uploads / 20) + 200 * library.uploads


def containers(library: Library) -> float:
    """Code server, daemon and webserver, always on, and the Functions app."""
    cores, gibibytes = library.run_cores + 2 * 0.5, 2 * library.run_cores + 2 * 1
    core_seconds = cores * SECONDS + 0.5 * library.api_hours * 3600 - FREE_CORE_SECONDS
    memory_seconds = gibibytes * SECONDS + library.api_hours * 3600 - FREE_MEMORY_SECONDS
    return _price("Container Apps, core") * core_seconds + _price("Container Apps, memory") * memory_seconds


def storage(library: Library) -> float:
    """Blobs, sensors that look, and 200 requests an upload."""
    requests = listings(library) + 100 * library.uploads
    reads = SECONDS / LOOK_SECONDS + 100 * library.uploads
    return (
        _price("Blob, hot, zone-redundant") * stored_gb(library)
        + _price("Blob, writing or listing") * requests / 1e4
        + _price("Blob, reading") * reads / 1e4
    )


def sql_awake(library: Library) -> float:
    """Hours for which the database is awake: after sweeps of the library, after uploads, at any time, and for callers.

    It sleeps in a quarter of an hour after the last question, and takes one to ten minutes for it.
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
    """Private endpoints with what passes them, about what an upload reads, and their names."""
    gigabytes = library.uploads * 3 * AUDIO_GB + 10
    return (
        _price("Private endpoint") * ENDPOINTS * HOURS
        + _price("Private endpoint, data") * gigabytes
        + _price("DNS zone") * ZONES
    )


def others(library: Library) -> float:
    """Registry, vault and logs."""
    return (
        _price("Container Registry Basic") * 365 / 12
        + _price("Key Vault") * 5 * SECONDS / 300 / 1e4
        + _price("Log Analytics") * max(0, library.logs_gb - FREE_LOGS_GB)
    )


def listening(library: Library) -> float:
    """Five tracks for every upload, played to the end on the internet."""
    return _price("Data to the internet") * max(0, library.uploads * 5 * AUDIO_GB - FREE_EGRESS_GB)


MONTHLY: Mapping[str, Callable[[Library], float]] = {
    "Container Apps": containers,
    "Azure SQL": sql,
    "Blob storage": storage,
    "Network": network,
    "PostgreSQL": postgres,
    "Cosmos DB": cosmos,
    "Registry, vault, logs": others,
    "Listening": listening,
}


def analysis_core_seconds(library: Library) -> float:
    """From files to features, on cores half as fast as those it was measured on."""
    return library.tracks * CORE_SECONDS_A_TRACK * SLOWER_IN_AZURE


def first_analysis(library: Library) -> float:
    """Cores beside those that are on anyway, had they to be paid; requests; and what passes the private endpoint."""
    requests = library.tracks * BLOBS_A_TRACK / 1e4
    return (
        _price("Container Apps, core") * analysis_core_seconds(library)
        + (_price("Blob, writing or listing") + _price("Blob, reading")) * requests
        + _price("Private endpoint, data") * library.tracks * (AUDIO_GB + 2 * FEATURES_GB)
    )


def tables() -> str:
    """The three tables in Markdown: prices, a month, and once."""
    sizes = [f"{library.tracks:,} tracks" for library in LIBRARIES]
    prices = [[name, f"{price.dollars:.6f}".rstrip("0"), price.unit, price.seen] for name, price in PRICES.items()]
    monthly = [[name, *(f"{cost(library):,.0f}" for library in LIBRARIES)] for name, cost in MONTHLY.items()]
    total = ["**together**", *(f"**{sum(cost(each) for cost in MONTHLY.values()):,.0f}**" for each in LIBRARIES)]
    amounts = [
        ["uploads a month", *(f"{library.uploads:,}" for library in LIBRARIES)],
        ["blobs, GB", *(f"{stored_gb(library):,.1f}" for library in LIBRARIES)],
        ["pages listed a month", *(f"{listings(library):,.0f}" for library in LIBRARIES)],
        ["dollars a month, were uploads watched for", *(f"{watching(library):,.0f}" for library in LIBRARIES)],
        ["hours that Azure SQL is awake", *(f"{sql_awake(library):,.0f}" for library in LIBRARIES)],
        ["request units a month, millions", *(f"{request_units(library) / 1e6:,.1f}" for library in LIBRARIES)],
    ]
    once = [
        ["first analysis, core hours", *(f"{analysis_core_seconds(library) / 3600:,.1f}" for library in LIBRARIES)],
        [
            "hours on the code server",
            *(f"{analysis_core_seconds(library) / 3600 / library.run_cores:,.1f}" for library in LIBRARIES),
        ],
        ["dollars at most", *(f"{first_analysis(library):,.2f}" for library in LIBRARIES)],
    ]
    return "\n\n".join(
        [
            _table(["price", "US dollars", "for a", "seen"], prices),
            _table(["amount", *sizes], amounts),
            _table(["US dollars a month", *sizes], [*monthly, total]),
            _table(["once", *sizes], once),
        ]
    )


def _price(name: str) -> float:
    return PRICES[name].dollars


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    print(tables())  # noqa: T201
