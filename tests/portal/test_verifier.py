# SPDX-License-Identifier: Apache-2.0
"""``cunzheng-verify``: verdicts as exit codes, two languages, JSON, and nothing loaded without need."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from ledgers import SIGNER, Ledger, open_ledger
from tooling import ROOT

from portal.verifier import main
from seals import demo_pki
from seals.demo_pki import DemoPki
from seals.keys import FileKeyStore
from seals.tokens import TrustedTokens
from storage.clock import RandomIds
from storage.ledger.anchors import Anchorer
from storage.ledger.checkpoints import CheckpointWriter
from storage.ledger.export import export_log
from storage.ledger.keeper import LedgerKeeper
from storage.ledger.policies import single_log_policy
from storage.ledger.reading import receipt_for
from storage.ledger.sequencer import Sequencer
from storage.objects.folder import FolderStore

FORBIDDEN = ("sqlalchemy", "flask", "apiflask", "minio", "elasticsearch", "celery", "pydantic_settings")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verifier")


@pytest.fixture(scope="module")
def ledger(folder: Path) -> Iterator[Ledger]:
    (folder / "ledger").mkdir()
    opened = open_ledger(folder / "ledger")
    opened.grow(10)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def act_id(ledger: Ledger) -> str:
    (made,) = ledger.record(1)
    ledger.keeper.tick(hurry=True)
    return made


@pytest.fixture(scope="module")
def export(ledger: Ledger, act_id: str, folder: Path) -> Path:
    export_log(ledger.database, folder / "export", SIGNER.verifier, b"no certificates\n")
    return folder / "export"


@pytest.fixture(scope="module")
def policy(folder: Path) -> str:
    path = folder / "policy.txt"
    path.write_text(single_log_policy(SIGNER.verifier))
    return str(path)


@pytest.fixture(scope="module")
def receipt(ledger: Ledger, act_id: str, folder: Path) -> str:
    path = folder / "act.tlog-proof"
    with ledger.database.reading() as uow:
        path.write_bytes(receipt_for(uow.session, act_id))
    return str(path)


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    code = main([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_sound_export_is_valid_in_two_languages(
    export: Path, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(export), "--policy", policy]) == 0
    text = capsys.readouterr().out
    assert text.startswith("有效 VALID\n")
    assert "条目 entries: 12" in text
    assert "时间戳未核验 time stamps not judged: 2 (--ca PEM)" in text


def test_a_changed_entry_is_invalid_and_named(
    export: Path, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = export / "tile/entries/000.p/12"
    data = bundle.read_bytes()
    bundle.write_bytes(data.replace(b'"id":"case-3"', b'"id":"case-9"', 1))
    try:
        code, found = answer(capsys, str(export), "--policy", policy)
        assert main([str(export), "--policy", policy]) == 1
        text = capsys.readouterr().out
    finally:
        bundle.write_bytes(data)
    assert (code, found["verdict"], found["first_bad"]) == (1, "invalid", 4)
    assert "首个问题条目 first bad entry: 4" in text
    assert "- 条目链断开 / The chain of entries is broken [tile/entries/000.p/12 4]" in text


def test_an_export_without_entries_cannot_be_told(
    export: Path, policy: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    public = tmp_path / "public"
    for path in ("checkpoint", "tile/0/000.p/12"):
        (public / path).parent.mkdir(parents=True, exist_ok=True)
        (public / path).write_bytes((export / path).read_bytes())
    code, found = answer(capsys, str(public), "--policy", policy)
    assert (code, found["verdict"]) == (2, "cannot-tell")


def test_a_receipt_redeems_its_promise_and_no_other(
    receipt: str, policy: str, act_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = answer(capsys, receipt, "--policy", policy, "--promise", act_id)
    assert (code, found["act"], found["seq"], found["promise_redeemed"]) == (0, act_id, 11, True)
    code, found = answer(capsys, receipt, "--policy", policy, "--promise", "00" * 32)
    assert (code, found["code"], found["facts"]) == (1, "ledger-proof-refused", {"rule": "promised-digest"})


def test_a_checkpoint_alone_is_judged_by_its_signature(
    export: Path, policy: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, found = answer(capsys, str(export / "checkpoint"), "--policy", policy)
    assert (code, found["kind"], found["size"]) == (0, "checkpoint", 12)
    other = tmp_path / "checkpoint"
    other.write_bytes((export / "checkpoint").read_bytes().replace(b"\n12\n", b"\n13\n"))
    assert answer(capsys, str(other), "--policy", policy)[0] == 1


def test_an_earlier_receipt_must_be_extended(
    export: Path, receipt: str, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(capsys, str(export), "--policy", policy, "--known", receipt)[0] == 0


def test_any_other_file_is_invalid_not_an_error(
    policy: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for data in (b"", b"c2sp.org/tlog-proof@v1\n", b"\xff\xfe", b"a\n\nb\n" * 1000):
        path = tmp_path / "file"
        path.write_bytes(data)
        assert answer(capsys, str(path), "--policy", policy)[0] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["{export}"],
        ["{export}", "--policy", "{export}/missing"],
        ["{export}", "--policy", "{export}/checkpoint"],
        ["{export}/missing", "--policy", "{policy}"],
        ["{export}", "--policy", "{policy}", "--known", "{export}/missing"],
        ["{export}", "--policy", "{policy}", "--ca", "{export}/checkpoint"],
        ["{receipt}", "--policy", "{policy}", "--promise", "xyz"],
        ["{export}", "--policy", "{policy}", "--unknown"],
    ],
)
def test_a_command_line_that_cannot_be_followed_exits_64(
    arguments: list[str], export: Path, policy: str, receipt: str, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [one.format(export=export, policy=policy, receipt=receipt) for one in arguments]
    try:
        code = main(filled)
    except SystemExit as exit_:
        code = int(str(exit_.code))
    assert code == 64
    assert capsys.readouterr().err.strip()


@pytest.fixture(scope="module")
def pki(ledger: Ledger, folder: Path) -> DemoPki:
    return demo_pki.create(folder / "pki", FileKeyStore(folder / "seal-keys"), ledger.clock)


@pytest.fixture(scope="module")
def stamped(pki: DemoPki, ledger: Ledger, folder: Path) -> Path:
    """Give an export whose tokens come from a real authority."""
    (folder / "stamped").mkdir()
    clock, store = HandClock(ledger.clock.now()), FolderStore(folder / "stamped" / "objects")
    database = make_database(folder / "stamped", clock)
    sequencer = Sequencer(database, clock, folder / "stamped" / "lock")
    anchorer = Anchorer(database, clock, sequencer, store, pki.tsa(RandomIds()), TrustedTokens(pki.trust()))
    keeper = LedgerKeeper(clock, sequencer, CheckpointWriter(database, clock, sequencer, SIGNER), anchorer)
    assert keeper.tick(hurry=True).problems == ()
    keeper.close()
    export_log(database, folder / "stamped-export", SIGNER.verifier, pki.pem())
    database.close()
    return folder / "stamped-export"


def test_real_tokens_are_judged_by_the_certificates_given(
    stamped: Path, policy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ca = str(stamped / "ca.pem")
    code, found = answer(capsys, str(stamped), "--policy", policy, "--ca", ca)
    assert (code, found["tokens"], found["anchored"], found["tokens_unjudged"]) == (0, 1, 1, 0)
    assert found["tokens_trusted_by"] == "ca.pem"


def test_real_tokens_of_an_authority_that_is_not_trusted_are_refused(
    stamped: Path, policy: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = demo_pki.create(folder / "pki2", FileKeyStore(folder / "keys2"), HandClock())
    other = folder / "other.pem"
    other.write_bytes(stranger.pem())
    code, found = answer(capsys, str(stamped), "--policy", policy, "--ca", str(other))
    assert (code, found["tokens"]) == (1, 0)


@pytest.mark.parametrize("run", ["help", "export", "receipt", "tokens"])
def test_no_database_web_store_or_settings_library_is_loaded(
    run: str, export: Path, stamped: Path, policy: str, receipt: str
) -> None:
    arguments = {
        "help": ["--help"],
        "export": [str(export), "--policy", policy],
        "receipt": [receipt, "--policy", policy],
        "tokens": [str(stamped), "--policy", policy, "--ca", str(stamped / "ca.pem")],
    }[run]
    program = (
        "import sys; from portal.verifier import main\n"
        "try: code = main(sys.argv[1:])\nexcept SystemExit as ended: code = ended.code\n"
        f"print('LOADED', code, [name for name in {FORBIDDEN!r} if name in sys.modules], file=sys.stderr)"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "LOADED 0 []" in done.stderr, done.stderr
