#!/usr/bin/env bash
# Builds the wheel, installs it into an environment of its own, and runs the demo study there, with
# one seed in place of five.
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
env/bin/rpu-ssnn plan digits_devices --no-estimate
# The copy has the hyperparameters beside it, so that nothing is searched.
cp -r env/lib/python*/site-packages/studies/shipped .
sed -i.five 's/seeds: {count: 5}/seeds: {count: 1}/' shipped/digits_devices.yaml
env/bin/rpu-ssnn run shipped/digits_devices.yaml --out "$work/out"
test -s "$work/out/results.csv"
echo "the installed wheel ran the demo study"
