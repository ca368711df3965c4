#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the suites of the ports, and what needs a server, on the real servers that the environment names
# (scripts/with-services.sh). Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m pytest -q "$@" -m "not sqlite" tests/storage tests/contracts
.venv/bin/python -m pytest -q "$@" -m services tests
.venv/bin/python -m pytest -q "$@" -m "not (services or sqlite or conformance or browser or slow)" tests/portal tests/licenses
CUNZHENG_STRESS_SECONDS=10 .venv/bin/python -m pytest -q "$@" tests/e2e/test_concurrency.py
