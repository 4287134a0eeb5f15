#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image. It installs a suitable Python and the packages in the lock file.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    apt-get update
    apt-get install --yes --no-install-recommends python3-venv
fi
python3 -m venv "$root/tools"
"$root/tools/bin/pip" --disable-pip-version-check install --quiet "{{ uv }}"

# uv uses the system's Python if its version is suitable, and otherwise downloads one into this folder, which all users
# can read, unlike /root.
export UV_PYTHON_INSTALL_DIR="$root/python"
"$root/tools/bin/uv" venv --quiet --clear --python '>=3.11,<3.14' "$root/venv"
"$root/tools/bin/uv" pip sync --quiet --compile-bytecode --python "$root/venv/bin/python" "$root/source/requirements.lock"

TF_CPP_MIN_LOG_LEVEL=3 "$root/venv/bin/python" -c 'import tensorflow, seaborn, zeus.monitor, nbclient, ipykernel.kernelapp'
