"""Make Dagster write the events of a step in batches.

A step that materialises 16 shards stores one event for each of them. With this variable Dagster stores them in one
transaction. The variable is not documented: it is read in `dagster._core.instance.utils`. A test counts the batches.
"""

from collections.abc import Mapping
from types import MappingProxyType

EVENT_BATCHES: Mapping[str, str] = MappingProxyType({"DAGSTER_EVENT_BATCH_SIZE": "1000"})
"""Variables for the environment of every process of Dagster."""
