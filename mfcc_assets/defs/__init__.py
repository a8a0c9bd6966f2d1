"""Everything that is Dagster: assets, checks, jobs, sensors, partitions, and how its processes are started.

What is done to a library or an upload does not belong here: assets and sensors call `mfcc_assets.pipeline`.
"""

from mfcc_assets.garbage import spare_the_collector

# The process of a run spends most of its start on imports.
spare_the_collector()
