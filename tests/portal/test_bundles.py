# SPDX-License-Identifier: Apache-2.0
"""The evidence bundle of a decision: checked without this server, and red when anything in it is touched."""

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from bundled import PROOFS, Office, members, open_office, packed
from calling import make_caller
from sqlalchemy import select
from tooling import ROOT

from licenses.bundle import ANSWER, BODY, CLIENT_KEY, Check
from licenses.models import LicenseUsage
from licenses.questions import ProofQuestion
from licenses.requests import verify_signature
from portal.accounts.rights import NewClient
from portal.asking.signing import CallerKey
from portal.clients import bundles
from portal.clients.bundles import bundle as bundle_of
from portal.clients.errors import BundleHeldError
from portal.web.schemas import CASE_EXAMPLE, PROOF_EXAMPLE
from storage.errors import EXIT_CANNOT_TELL, EXIT_DONE, EXIT_INVALID
from storage.identity import Identity, Role
from storage.ledger.canonical import canonical
from storage.ledger.models import LedgerAct
from storage.ledger.notes import COSIGNATURE, VerifierKey

from .conftest import House
from .test_api_cases import PATH


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("office")) as opened:
        yield opened


@pytest.fixture(scope="module")
def bundle(office: Office) -> bytes:
    decision = office.ask()
    early = office.get(f"{PROOFS}/{decision}/bundle")
    assert (early.status_code, early.json["code"]) == (409, "receipt-not-ready")
    assert early.headers["Retry-After"] == "5"
    office.publish()
    answer = office.get(f"{PROOFS}/{decision}/bundle")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    return bytes(answer.data)


NAMES = (
    "README.txt",
    "client-key.json",
    "decision.jws",
    "jwks.json",
    "receipt.tlog-proof",
    "request.base.txt",
    "request.json",
    "request.signature.txt",
    "rule.json",
)


def test_every_check_holds_offline(office: Office, bundle: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    assert tuple(members(bundle)) == NAMES
    assert members(bundle)[BODY] == json.dumps(PROOF_EXAMPLE).encode(), "byte for byte as it was sent"
    assert office.check(bundle, capsys) == (EXIT_DONE, dict.fromkeys(map(str, Check), "holds"))


def test_no_database_or_web_library_is_loaded(office: Office, bundle: bytes) -> None:
    (office.folder / "kept.zip").write_bytes(bundle)
    program = (
        "import sys; from portal.verifier import main; code = main(sys.argv[1:])\n"
        "print('LOADED', code, [name for name in ('sqlalchemy', 'flask', 'pydantic_settings', 'minio')"
        " if name in sys.modules])"
    )
    trusted = ["--policy", str(office.folder / "policy"), "--keys", str(office.folder / "jwks.json")]
    done = subprocess.run(
        [sys.executable, "-c", program, str(office.folder / "kept.zip"), *trusted],
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "LOADED 0 []" in done.stdout, done.stdout + done.stderr


def test_our_signature_is_not_believed_by_keys_from_the_bundle(
    office: Office, bundle: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    code, states = office.check(bundle, capsys, keys=False)
    assert code == EXIT_CANNOT_TELL
    assert states["decision-signature"] == states["decision-keys"] == "cannot-tell"


@pytest.mark.parametrize("name", NAMES)
def test_a_touched_member_turns_it_red(
    office: Office, bundle: bytes, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every member, at places all over it; also left out, and twice as long."""
    found = members(bundle)
    data = found[name]
    places = sorted({0, len(data) - 1, *range(0, len(data), max(1, len(data) // 40))})
    changed = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in places]
    for other in [*changed, data + data, data + b"\n", b""]:
        code, states = office.check(packed(found | {name: other}), capsys)
        assert code == EXIT_INVALID, (name, states)
        assert "fails" in states.values()
    code, _ = office.check(packed({key: value for key, value in found.items() if key != name}), capsys)
    assert code == (EXIT_CANNOT_TELL if name == BODY else EXIT_INVALID)


def test_whatever_else_lies_in_it_turns_it_red(
    office: Office, bundle: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert office.check(packed(members(bundle) | {"more.txt": b""}), capsys)[0] == EXIT_INVALID
    assert office.check(bundle[: len(bundle) // 2], capsys)[0] == EXIT_INVALID


def test_another_systems_signature_over_the_same_body_is_not_this_one(
    office: Office, bundle: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    found, other = members(bundle), CallerKey.make()
    headers = other.signed(
        "POST",
        f"{office.caller.address}{PROOFS}",
        {"Content-Type": "application/json", "Authorization": "Bearer x"},
        found[BODY],
        office.rooms.clock.now(),
    )
    key = {name: value for name, value in other.public().items() if name in {"kty", "crv", "x", "y"}}
    stated = headers["signature-input"].partition("=")[2]
    lines = found["request.base.txt"].decode().splitlines()[:-1]
    base = "\n".join([*lines, f'"@signature-params": {stated}'])
    base = base.replace(lines[4], '"authorization": Bearer x')
    forged = found | {
        CLIENT_KEY: canonical(key),
        "request.base.txt": base.encode(),
        "request.signature.txt": headers["signature"].removeprefix("sig1=:").removesuffix(":").encode(),
    }
    code, states = office.check(packed(forged), capsys)
    assert code == EXIT_INVALID
    assert states["request-key"] == "fails"
    assert verify_signature(base.encode(), b"", key) is False


def test_an_answer_of_another_question_is_not_the_answer_of_this_one(
    office: Office, bundle: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    decision = office.ask()
    office.publish()
    other = members(bytes(office.get(f"{PROOFS}/{decision}/bundle").data))
    code, states = office.check(packed(members(bundle) | {ANSWER: other[ANSWER]}), capsys)
    assert code == EXIT_INVALID
    assert {name for name, state in states.items() if state == "fails"} == {"request-key", "receipt"}


def test_nobody_else_gets_it_and_that_it_left_is_recorded(office: Office, bundle: bytes) -> None:
    decision = office.ask()
    office.publish()
    stranger = make_caller(
        office.caller.app,
        office.rooms,
        NewClient(
            name="别的系统",
            organisation="scjg",
            sources=frozenset({"ycsl"}),
            scopes=frozenset({"ask"}),
            items=frozenset({"339999010002"}),
            operators=frozenset({"op-1"}),
            expires_at=office.rooms.clock.now().replace(year=2100),
        ),
    )
    assert office.get(f"{PROOFS}/{decision}/bundle", stranger).status_code == 404
    assert office.get(f"{PROOFS}/{decision}/bundle").status_code == 200
    with office.rooms.database.reading() as uow:
        kinds = [one.kind for one in uow.session.query(LedgerAct).filter(LedgerAct.kind == "proof.evidenced")]
    assert len(kinds) >= 1


def test_a_question_at_the_window_has_no_bundle(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.client_key('announce')}"}
    assert house.app.test_client().put(PATH, json=CASE_EXAMPLE, headers=headers).status_code == 201
    clerk = Identity("person", "clerk-1", "scjg", frozenset({Role.CLERK}))
    question = ProofQuestion("ycsl", PROOF_EXAMPLE["case"]["number"], "339999010002", "accept")
    with house.rooms.database.writing() as uow:
        made = house.rooms.proofs.ask(uow, clerk, question)
        decision = made.decision.id
    assert "request" not in made.body
    browser = house.browser(Role.SUPERVISOR)
    assert browser.get(f"{PROOFS}/{decision}/bundle").status_code == 404


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("request.base.txt", b'"@method": POST', b'"@method": PUT'),
        ("request.base.txt", b"/api/v1/proofs\n", b"/api/v1/licences\n"),
        ("request.base.txt", b";created=1", b";created=2"),
        (BODY, b'"requirements": []', b'"subjects": [{"subject": "child", "name": "x"}], "requirements": []'),
    ],
)
def test_an_answer_is_to_exactly_this_call(
    office: Office, bundle: bytes, name: str, old: bytes, new: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    found = members(bundle)
    assert old in found[name], found[name]
    _, states = office.check(packed(found | {name: found[name].replace(old, new)}), capsys)
    assert states["answers-request"] == "fails"


def test_too_few_witnesses_are_no_lie(
    office: Office, bundle: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """The receipt is genuine; that nobody else saw the log yet says neither yes nor no."""
    policy = office.folder / "policy"
    kept = policy.read_text()
    witness = VerifierKey("witness.example", COSIGNATURE, b"w" * 32)
    policy.write_text(kept.replace("quorum none", f"witness W {witness}\nquorum W"))
    try:
        code, states = office.check(bundle, capsys)
    finally:
        policy.write_text(kept)
    assert (code, states["receipt"]) == (EXIT_CANNOT_TELL, "cannot-tell")


def test_supervision_waits_until_the_token_in_it_is_over_and_the_holder_sees_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = office.ask()
    office.publish()
    rooms, supervisor = office.rooms, Identity("person", "s-1", "dsj", frozenset({Role.SUPERVISOR}))
    with rooms.database.writing() as uow, pytest.raises(BundleHeldError) as held:
        bundle_of(rooms, uow, supervisor, decision)
    assert 590 <= held.value.retry_after <= 601
    monkeypatch.setattr(bundles, "TOKEN_LIFE", dt.timedelta(0))
    with rooms.database.writing() as uow:
        assert bundle_of(rooms, uow, supervisor, decision)
    with rooms.database.reading() as uow:
        taken = select(LicenseUsage).where(LicenseUsage.decision_id == decision)
        use = uow.session.scalars(taken.where(LicenseUsage.action == "evidence")).one()
        assert (use.result, use.basis, use.actor_id) == ("READ", "supervision", "s-1")
