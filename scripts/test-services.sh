#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the suites of the ports, and what needs a server, on the real servers that the environment names
# (scripts/with-services.sh). Arguments go to pytest. Each file stays with one process: those that install, fill
# or break something do so once for all their tests.
set -euo pipefail
cd "$(dirname "$0")/.."
tests() { .venv/bin/python -m pytest -q --dist loadfile "$@"; }
tests "$@" -m "not sqlite" tests/storage tests/contracts
tests "$@" -m services --ignore=tests/storage --ignore=tests/contracts tests
tests "$@" -m "not (services or sqlite or conformance or browser or slow)" tests/portal tests/licenses
CUNZHENG_STRESS_SECONDS=10 tests "$@" tests/e2e/test_concurrency.py
