"""The size of a cluster, as the options of Spark tell it. `test_spark` has what needs a session."""

import pytest

from mfcc_assets.compute.spark_session import expected_cores

NOTHING_SET = {
    "spark.master": "",
    "spark.mfcc.cores": "0",
    "spark.cores.max": "0",
    "spark.executor.instances": "0",
    "spark.executor.cores": "1",
}


@pytest.mark.parametrize(
    ("options", "cores"),
    [
        ({"spark.master": "local-cluster[3, 2, 1024]"}, 6),
        ({"spark.master": "spark://host:7077", "spark.cores.max": "320"}, 320),
        ({"spark.master": "yarn", "spark.executor.instances": "40", "spark.executor.cores": "8"}, 320),
        ({"spark.master": "k8s://host", "spark.executor.instances": "5"}, 5),
        ({"spark.master": "local[4,4]"}, 0),
        ({"spark.master": "spark://host:7077", "spark.executor.cores": "8"}, 0),
    ],
)
def test_cores_are_expected_before_their_executors_have_registered(options: dict[str, str], cores: int) -> None:
    assert expected_cores(NOTHING_SET | options) == cores
