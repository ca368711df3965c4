#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the suites of the ports, what needs a server, and the rooms with tables on the real servers that the
# environment names (scripts/with-services.sh); which these are: tests/support/sharing_out.py. Arguments go to
# pytest. Each file stays with one process: those that install, fill or break something do so once.
set -euo pipefail
cd "$(dirname "$0")/.."
CUNZHENG_STRESS_SECONDS=10 exec .venv/bin/python -m pytest -q --dist loadfile --no-loadscope-reorder --on-servers "$@"
