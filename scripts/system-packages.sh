#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the named Debian packages that are missing. Root only; never asks, never calls sudo.
# NAME:COMMAND counts as present when the command is there, whoever installed it.
# Anyone else is told the command to run, and the exit status stays 0: what needs the package says so itself.
set -euo pipefail
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" DEBIAN_FRONTEND=noninteractive

if ! command -v dpkg-query >/dev/null; then
    echo "system packages: not a Debian system; these give the full product: $*"
    exit 0
fi

missing=()
for wish in "$@"; do
    package=${wish%%:*}
    if [[ $wish == *:* ]] && command -v "${wish#*:}" >/dev/null; then
        continue
    fi
    state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    [[ $state == ii* ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
    exit 0
fi

if ((EUID != 0)); then
    echo "system packages missing: ${missing[*]}"
    echo "to install them, run as root:  apt-get install --no-install-recommends ${missing[*]}"
    exit 0
fi

echo "system packages to install: ${missing[*]}"
apt-get update -qq </dev/null
apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
