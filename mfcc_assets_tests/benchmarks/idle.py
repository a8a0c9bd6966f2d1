"""The code location of the package with one more job, whose only asset does nothing. It shows the cost of a run."""

import dagster as dg

from mfcc_assets import definitions


@dg.asset(group_name="benchmarks")
def nothing() -> None: ...


defs = dg.Definitions.merge(
    definitions.defs,
    dg.Definitions(assets=[nothing], jobs=[dg.define_asset_job("idle", dg.AssetSelection.assets(nothing))]),
)
