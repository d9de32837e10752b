#!/usr/bin/env bash
# Prints the Python (>= 3.12, able to make virtual environments) to use; one clear line on failure.
set -u
usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}
for candidate in ${1:-python3 python3.14 python3.13 python3.12 /usr/bin/python3}; do
    if command -v "$candidate" >/dev/null 2>&1 && usable "$candidate"; then
        command -v "$candidate"
        exit 0
    fi
done
echo "rpu-ssnn needs Python 3.12, 3.13 or 3.14 with its venv module (on Debian: python3-venv);" \
    "none of '${1:-python3 python3.14 python3.13 python3.12 /usr/bin/python3}' is one." \
    "Install it, or name it: make PYTHON=/path/to/python3.13" >&2
exit 1
