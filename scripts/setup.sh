#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the project's own virtual environment from one hash-locked requirements file.
# Usage: setup.sh VENV LOCK. Does nothing when the environment already holds exactly this lock.
set -euo pipefail
venv=$1 lock=$2
stamp=$venv/.holds
wanted=$(cat "$lock" pyproject.toml | sha256sum | cut -d' ' -f1)
here=$(pwd -P)
if [[ -f $stamp ]]; then
    read -r held place <"$stamp"
    if [[ $held == "$wanted" && $place == "$here" ]]; then
        exit 0
    fi
    # Scripts of an environment name its folder: one that was moved or copied is made anew.
    [[ $place == "$here" ]] || rm -rf "$venv"
fi

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if command -v "$name" >/dev/null &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    echo "Python 3.11 or later is needed; name it with: make PYTHON=/path/to/python3 ..." >&2
    return 1
}

python=$(find_python)
if [[ ! -x $venv/bin/python ]]; then
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        if ((EUID != 0)); then
            echo "This Python cannot make virtual environments. Run as root:  apt-get install python3-venv" >&2
            exit 1
        fi
        "$(dirname "$0")/system-packages.sh" python3-venv
    fi
    "$python" -m venv "$venv"
fi

echo "installing the packages of $lock into $venv (about a minute, once)"
pip=("$venv/bin/python" -m pip --disable-pip-version-check --no-input --quiet install)
rm -f "$stamp"
"${pip[@]}" --require-hashes --only-binary :all: -r "$lock"
# The build back end stands in the lock: nothing outside it is fetched.
"${pip[@]}" --no-deps --no-build-isolation -e .
echo "$wanted $here" >"$stamp"
