#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the suites of the ports, and what needs a server, on the real servers. Starts what does not run and
# stops only that. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
started=$(scripts/services.sh start)
# shellcheck disable=SC2086 # a list of names
stop() { [[ -z $started ]] || scripts/services.sh stop $started; }
trap stop EXIT
set -a
# shellcheck disable=SC1090 # it prints assignments
source <(scripts/services.sh environment)
set +a
.venv/bin/python -m pytest -q "$@" -m "not sqlite" tests/storage tests/contracts
.venv/bin/python -m pytest -q "$@" -m services tests
CUNZHENG_STRESS_SECONDS=10 .venv/bin/python -m pytest -q "$@" tests/e2e/test_concurrency.py
