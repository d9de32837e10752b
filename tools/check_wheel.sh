#!/usr/bin/env bash
# Builds the wheel, installs it into an environment of its own, and runs the demo study from there.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir "$work" .
.venv/bin/uv venv --quiet --python "$python" "$work/env"
.venv/bin/uv pip install --quiet --python "$work/env/bin/python" --require-hashes -r requirements.txt
.venv/bin/uv pip install --quiet --python "$work/env/bin/python" --no-deps "$work"/*.whl
cd "$work" # away from the checkout, so that only the installed package can be imported
env/bin/rpu-ssnn --help >/dev/null
env/bin/rpu-ssnn run digits_devices --out "$work/out"
test -s "$work/out/results.csv"
echo "the installed wheel ran the demo study"
