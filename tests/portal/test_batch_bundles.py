# SPDX-License-Identifier: Apache-2.0
"""The evidence bundle of an answer in a batch: whole only with the body that its sender kept."""

import json
from collections.abc import Iterator

import pytest
from bundled import PROOFS, Office, members, open_office, packed

from licenses.bundle import ANSWER, BODY, Check
from portal.verifier import main
from portal.web.schemas import PROOF_EXAMPLE
from storage.errors import EXIT_CANNOT_TELL, EXIT_DONE, EXIT_INVALID, EXIT_USAGE


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with open_office(tmp_path_factory.mktemp("office")) as opened:
        yield opened


@pytest.fixture(scope="module")
def bundle(office: Office) -> bytes:
    """Give the bundle of a question that was asked alone."""
    decision = office.ask()
    office.publish()
    return bytes(office.get(f"{PROOFS}/{decision}/bundle").data)


@pytest.fixture(scope="module")
def batch(office: Office) -> tuple[bytes, bytes]:
    """Give the body of a batch as it was sent, and the bundle of its first answer."""
    unknown = PROOF_EXAMPLE | {"case": {"source": "ycsl", "number": "YC-2026-000999"}}
    return office.ask_batch([PROOF_EXAMPLE, unknown])


def test_of_a_batch_the_body_is_the_askers_to_keep(
    office: Office, batch: tuple[bytes, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    _, found = batch
    code, states = office.check(found, capsys)
    assert code == EXIT_CANNOT_TELL
    assert {name for name, state in states.items() if state != "holds"} == {"request-body", "answers-request"}
    assert main(office.arguments(found)) == EXIT_CANNOT_TELL
    assert "give the copy that its sender kept (--body)" in capsys.readouterr().out


def test_with_the_body_that_its_sender_kept_a_batch_is_checked_whole(
    office: Office, batch: tuple[bytes, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    sent, found = batch
    assert BODY not in members(found)
    assert office.check(found, capsys, sent=sent) == (EXIT_DONE, dict.fromkeys(map(str, Check), "holds"))
    assert main(office.arguments(found, sent=sent)) == EXIT_DONE
    assert "body: the copy that its sender kept (--body)" in capsys.readouterr().out


@pytest.mark.parametrize("other", ["touched", "written otherwise", "longer", "empty"])
def test_another_body_than_was_signed_turns_it_red(
    office: Office, batch: tuple[bytes, bytes], other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sent, found = batch
    given = {
        "touched": sent.replace(b"YC-2026-000999", b"YC-2026-000998"),
        "written otherwise": json.dumps(json.loads(sent), indent=1).encode(),
        "longer": sent + b"\n",
        "empty": b"",
    }[other]
    assert given != sent
    code, states = office.check(found, capsys, sent=given)
    assert (code, states["request-body"]) == (EXIT_INVALID, "fails")
    assert main(office.arguments(found, sent=given)) == EXIT_INVALID
    assert "the body given is not the one that was signed (--body)" in capsys.readouterr().out


def test_a_body_beside_the_one_in_the_bundle_must_be_the_same(
    office: Office, bundle: bytes, batch: tuple[bytes, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    held = members(bundle)[BODY]
    assert office.check(bundle, capsys, sent=held)[0] == EXIT_DONE
    code, states = office.check(bundle, capsys, sent=held + b" ")
    assert (code, states["request-body"]) == (EXIT_INVALID, "fails")
    sent, found = batch
    touched = packed(members(found) | {BODY: held})
    code, states = office.check(touched, capsys, sent=sent)
    assert (code, states["request-body"]) == (EXIT_INVALID, "fails")


def test_an_answer_that_the_batch_did_not_ask_for_is_none_of_it(
    office: Office, bundle: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """The body is the one that was signed; the decision beside it answers more than it asks."""
    sent, asked = office.ask_batch([PROOF_EXAMPLE | {"requirements": ["R1"]}])
    assert office.check(asked, capsys, sent=sent)[0] == EXIT_DONE
    touched = members(asked) | {ANSWER: members(bundle)[ANSWER]}
    code, states = office.check(packed(touched), capsys, sent=sent)
    assert (code, states["request-body"], states["answers-request"]) == (EXIT_INVALID, "holds", "fails")


def test_a_body_is_only_checked_with_a_bundle(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(office.arguments(b"a receipt\n", sent=b"{}"))
    assert code == EXIT_USAGE
    assert "only an evidence bundle" in capsys.readouterr().err
