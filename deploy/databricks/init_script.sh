#!/bin/bash
# Runs on every node before Spark starts: installs the wheel, and compiles the kernels once for all processes of the node.
set -euo pipefail

: "${NUMBA_CACHE_DIR:?}" "${WHEEL_FOLDER:?}"
python=${NODE_PYTHON:-/databricks/python/bin/python}

# Processes of Spark may belong to another user than this script.
mkdir -p "$NUMBA_CACHE_DIR"
chmod -R a+rwX "$(dirname "$NUMBA_CACHE_DIR")"

# The runtime has Spark already. Another one must not be installed beside it.
wheel=$(ls -t "$WHEEL_FOLDER"/mfcc_assets-*.whl | head -n 1)
# The packages of the runtime keep their versions.
packages=$(dirname "$WHEEL_FOLDER")/runtime-18.txt
"$python" -m pip install --quiet --disable-pip-version-check --constraint "$packages" "${wheel}[azure]"
"$python" -c "from mfcc_assets.warm_up import warm_up; warm_up()"
chmod -R a+rwX "$NUMBA_CACHE_DIR"
