#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command with the real servers up and the variables set that name them. Starts what does not run and
# stops only that, however the command ends; a start that fails leaves nothing running either.
set -euo pipefail
cd "$(dirname "$0")/.."
started=
# shellcheck disable=SC2086 # a list of names
stop() { [[ -z $started ]] || scripts/services.sh stop $started; }
trap stop EXIT
started=$(scripts/services.sh start)
set -a
# shellcheck disable=SC1090 # it prints assignments
source <(scripts/services.sh environment)
set +a
"$@"
