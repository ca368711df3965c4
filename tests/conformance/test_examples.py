# SPDX-License-Identifier: Apache-2.0
"""The integrator's samples, in Python and Java, ask a served demonstration and refuse forged answers."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import ECKey
from running import Site
from tooling import ROOT, require_tool

pytestmark = pytest.mark.conformance
EXAMPLES = ROOT / "docs" / "examples"
TYPE = "cunzheng-decision+json"
LANGUAGES = ("python", "java")


def _command(language: str) -> list[str]:
    if language == "python":
        return [sys.executable, str(EXAMPLES / "ask_for_proof.py")]
    require_tool("javac")
    return [require_tool("java"), str(EXAMPLES / "AskForProof.java")]


def _run(
    language: str, folder: Path, *arguments: str, cast: Mapping[str, Any] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a sample as an integrator would: in a folder of its own, with the key in the environment."""
    environment = dict(os.environ) | {"JAVA_TOOL_OPTIONS": "-Dfile.encoding=UTF-8"}
    if cast is not None:
        environment |= {
            "PROOF_CLIENT": cast["sandbox"],
            "PROOF_KEY_FILE": cast["key_file"],
            "PROOF_OPERATOR": cast["accounts"]["clerk"],
        }
    return subprocess.run(
        [*_command(language), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a sample left in its folder after it asked about the open case."""

    language: str
    folder: Path
    said: str

    @property
    def answer(self) -> str:
        return (self.folder / "answer.jws").read_text(encoding="ascii")

    @property
    def payload(self) -> dict[str, Any]:
        return dict(json.loads(_decoded(self.answer.split(".")[1])))

    def check(self, answer: str, keys: Mapping[str, Any] | None = None) -> int:
        """Give the exit code of a check of other bytes, with the kept keys or with others."""
        (self.folder / "other.jws").write_text(answer, encoding="ascii")
        if keys is not None:
            (self.folder / "other.json").write_text(json.dumps(keys), encoding="ascii")
        named = "other.json" if keys is not None else "jwks.json"
        return _run(self.language, self.folder, "check", "other.jws", named).returncode


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _question(number: str) -> Sequence[str]:
    return ("yctb", number, "339999010002", "accept")


def _cast(site: Site) -> dict[str, Any]:
    """Give who acts in the demonstration, with the file of the sandbox client's private key."""
    cast = json.loads((site.data / "demo-cast.json").read_bytes())
    return dict(cast) | {"key_file": str(site.data / "demo-client.jwk")}


@pytest.fixture(scope="module", params=LANGUAGES)
def asked(request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    folder = tmp_path_factory.mktemp(request.param)
    cast = _cast(site)
    done = _run(request.param, folder, "ask", site.address, *_question("YS-2026-000111"), cast=cast)
    assert done.returncode == 0, done.stderr
    return Asked(request.param, folder, done.stdout)


def test_the_sample_says_what_is_established(asked: Asked) -> None:
    said = [line.split()[:2] for line in asked.said.splitlines()]
    assert said == [["MET", "R1"], ["UNKNOWN", "R2"], ["UNKNOWN", "R3"]]


def test_the_receipt_redeems_the_promise_offline(asked: Asked, site: Site) -> None:
    exported = site.run("ledger", "export", str(asked.folder / "export"))
    assert exported.returncode == 0, exported.stderr
    verifier = Path(sys.executable).with_name("cunzheng-verify")
    policy = asked.folder / "export" / "policy"
    for promise, verdict in ((asked.payload["promise"]["core_sha256"], 0), ("0" * 64, 1)):
        command = [verifier, asked.folder / "receipt.tlog-proof", "--policy", policy, "--promise", promise]
        assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == verdict


def test_the_kept_answer_is_genuine_without_network(asked: Asked) -> None:
    assert asked.check(asked.answer) == 0


def test_an_altered_answer_is_refused(asked: Asked) -> None:
    header, _, signature = asked.answer.strip().split(".")
    altered = asked.payload
    altered["decision"]["requirements"][1]["result"] = "MET"
    assert asked.check(f"{header}.{_encoded(json.dumps(altered).encode())}.{signature}") == 1


@pytest.mark.parametrize("forgery", ["foreign-key", "no-algorithm", "zeros", "no-signature", "no-answer"])
def test_a_forged_answer_is_refused(asked: Asked, forgery: str) -> None:
    header, payload, _ = asked.answer.strip().split(".")
    genuine = json.loads(_decoded(header))
    foreign = ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))
    forged = {
        "foreign-key": jws.serialize_compact(genuine, _decoded(payload), foreign, algorithms=["ES256"]),
        "no-algorithm": f"{_encoded(json.dumps(genuine | {'alg': 'none'}).encode())}.{payload}.",
        "zeros": f"{header}.{payload}.{_encoded(bytes(64))}",
        "no-signature": f"{header}.{payload}.",
        "no-answer": "no answer",
    }
    assert asked.check(forged[forgery]) == 1


def test_a_genuine_answer_of_another_archive_is_refused(asked: Asked) -> None:
    foreign = ECKey.import_key(ec.generate_private_key(ec.SECP256R1()))
    kid = foreign.thumbprint()
    keys = {"keys": [dict(foreign.as_dict(private=False)) | {"kid": kid}]}
    header = {"alg": "ES256", "kid": kid, "typ": TYPE}
    theirs = jws.serialize_compact(header, json.dumps(asked.payload).encode(), foreign, algorithms=["ES256"])
    assert asked.check(theirs) == 1
    # The check looks at the keys that it is given and at nothing else.
    assert asked.check(theirs, keys) == 0


def test_a_refusal_is_told_as_such(asked: Asked, site: Site) -> None:
    cast = _cast(site)
    done = _run(asked.language, asked.folder, "ask", site.address, *_question("YS-2026-000112"), cast=cast)
    assert (done.returncode, "proof-refused" in done.stderr) == (3, True)
