"""The resources of the bundle: the job with its cluster, the storage that Unity Catalog reads, and the secrets.

`databricks bundle` calls `load_resources`. Values that differ between targets are variables of `databricks.yml`.
"""

from databricks.bundles.core import Bundle, Resources
from databricks.bundles.external_locations import ExternalLocation
from databricks.bundles.jobs import Job
from databricks.bundles.schemas import Schema
from databricks.bundles.secret_scopes import SecretScope
from databricks.bundles.volumes import Volume

CONTAINERS = ("cepstra", "soundtracks", "artworks")
"""Containers that Unity Catalog reads. It writes to none of them."""

VOLUMES = ("soundtracks", "artworks")
"""Containers that are shown as folders of files. In that of the cepstra lie tables, which no volume may contain."""

LOCAL_DISK = "/local_disk0/mfcc"
"""Folder of the local disk of a node: copies of blobs, and compiled kernels."""

CACHE_GIGABYTES = 100
"""Largest size of the copies of blobs there. The disk of a Standard_D8ds_v5 has 300 GB."""

_OF_CLIENT = "{{secrets/${resources.secret_scopes.mfcc_secrets.name}/databricks-client-secret}}"
_WHEEL = "../../dist/*.whl"
_LONGEST_RUN_SECONDS = 4 * 86_400


def load_resources(_bundle: Bundle) -> Resources:
    """Return all resources of the bundle."""
    resources = Resources()
    resources.add_resource("mfcc", _schema())
    for container in CONTAINERS:
        resources.add_resource(f"{container}_location", _location(container))
    for container in VOLUMES:
        resources.add_resource(f"{container}_volume", _volume(container))
    resources.add_resource("mfcc_secrets", _secrets())
    resources.add_resource("mfcc_job", _job())
    return resources


def _schema() -> Schema:
    return Schema.from_dict(
        {
            "catalog_name": "${var.catalog}",
            "name": "${var.schema}",
            "comment": "Cepstra and recommendations of the music library",
            "grants": [
                {"principal": "${var.readers}", "privileges": ["USE_SCHEMA", "SELECT", "READ_VOLUME"]},
            ],
        }
    )


def _location(container: str) -> ExternalLocation:
    return ExternalLocation.from_dict(
        {
            "name": f"mfcc-${{bundle.target}}-{container}",
            "url": _address(container),
            "credential_name": "${var.storage_credential}",
            "read_only": True,
            "comment": f"The container {container}, read with the identity of the access connector",
        }
    )


def _volume(container: str) -> Volume:
    return Volume.from_dict(
        {
            "catalog_name": "${var.catalog}",
            # By these references the volume is made after the schema and the location.
            "schema_name": "${resources.schemas.mfcc.name}",
            "name": container,
            "volume_type": "EXTERNAL",
            "storage_location": f"${{resources.external_locations.{container}_location.url}}",
            "comment": f"The files of the container {container}",
        }
    )


def _address(container: str) -> str:
    return f"abfss://{container}@${{var.tables_account}}.dfs.core.windows.net/"


def _secrets() -> SecretScope:
    return SecretScope.from_dict(
        {
            "name": "mfcc-${bundle.target}",
            "backend_type": "AZURE_KEYVAULT",
            "keyvault_metadata": {"resource_id": "${var.vault_id}", "dns_name": "${var.vault_url}"},
            # The one-time runs belong to it, and their cluster reads the secret of its own identity.
            "permissions": [{"level": "READ", "service_principal_name": "${var.dagster_client_id}"}],
        }
    )


def _job() -> Job:
    return Job.from_dict(
        {
            "name": "mfcc",
            "description": "The heavy work of the music library. Dagster submits it with the cluster that it has here.",
            "max_concurrent_runs": 4,
            "timeout_seconds": _LONGEST_RUN_SECONDS,
            "permissions": [{"level": "CAN_VIEW", "service_principal_name": "${var.dagster_client_id}"}],
            # Dagster Pipes gives these to a run of the whole job. A one-time run has them as variables of its cluster.
            "parameters": [
                {"name": "DAGSTER_PIPES_CONTEXT", "default": ""},
                {"name": "DAGSTER_PIPES_MESSAGES", "default": ""},
            ],
            "job_clusters": [{"job_cluster_key": "workers", "new_cluster": _cluster()}],
            "tasks": [
                {
                    "task_key": "work",
                    "job_cluster_key": "workers",
                    # Dagster tries it again, and first stores what is complete.
                    "max_retries": 0,
                    "python_wheel_task": {
                        "package_name": "mfcc_assets",
                        "entry_point": "mfcc-job",
                        "parameters": [
                            "--blob-url=${var.blob_url}",
                            f"--home={LOCAL_DISK}",
                            f"--cache-gigabytes={CACHE_GIGABYTES}",
                            "--dagster-pipes-context={{job.parameters.DAGSTER_PIPES_CONTEXT}}",
                            "--dagster-pipes-messages={{job.parameters.DAGSTER_PIPES_MESSAGES}}",
                        ],
                    },
                    "libraries": [{"whl": _WHEEL}],
                }
            ],
            "tags": {"application": "mfcc"},
        }
    )


def _cluster() -> dict[str, object]:
    return {
        "spark_version": "${var.runtime}",
        # The kernels of the work are compiled already, so Photon has nothing to speed up, and costs more.
        "runtime_engine": "STANDARD",
        "data_security_mode": "SINGLE_USER",
        "node_type_id": "${var.node_type}",
        "autoscale": {"min_workers": "${var.min_workers}", "max_workers": "${var.max_workers}"},
        "azure_attributes": {
            # The driver keeps its machine. A worker whose spot machine is taken away costs the tasks that ran on it.
            "availability": "SPOT_WITH_FALLBACK_AZURE",
            "first_on_demand": 1,
            "spot_bid_max_price": -1,
        },
        "init_scripts": [{"volumes": {"destination": "${workspace.artifact_path}/init_script.sh"}}],
        "spark_env_vars": {
            # Kernels are compiled once for a node. Numba needs a folder that all processes may write.
            "NUMBA_CACHE_DIR": f"{LOCAL_DISK}/numba",
            "WHEEL_FOLDER": "${workspace.artifact_path}/.internal",
            # Spark runs a task on each core, so a task uses one thread.
            "OMP_NUM_THREADS": "1",
            "AZURE_TENANT_ID": "${var.tenant_id}",
            "AZURE_CLIENT_ID": "${var.client_id}",
            "AZURE_CLIENT_SECRET": _OF_CLIENT,
        },
        # A cluster grows if tasks wait, so the work is cut for all cores that it can get.
        "spark_conf": {"spark.task.maxFailures": "4", "spark.mfcc.cores": "${var.cores}"},
        "custom_tags": {"application": "mfcc"},
    }
