# SPDX-License-Identifier: Apache-2.0
"""Verify a document or a signed answer, with the installation's knowledge or without it."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portal.commands.common import open_installation, require_installation
from portal.errors import NotADocumentError, NotInitialisedError, TrustNeededError
from storage.errors import EXIT_DONE, EXIT_INVALID, InvalidInputError

if TYPE_CHECKING:
    from portal.checking import CheckReport

_PDF = b"%PDF-"
_HEAD = 1024
_JWS_DOTS = 2


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates (PEM) for a PDF, or a key set (JWKS) for an answer; the installation is not asked "
    "信任的证书或公钥集，不查询本机库.",
)
@click.option(
    "--offline",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of `cunzheng directory save`: the directory and the status list of whoever issued the "
    "licence; nothing else is asked 目录与状态列表所在文件夹，离线核验.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON 输出 JSON.")
def verify(file: Path, trust: Path | None, offline: Path | None, *, as_json: bool) -> int:
    """核验文件 / Verify FILE: a PDF, or a signed answer of a no-proof question.

    Exit code 0 valid, 1 invalid, 2 cannot tell. With --trust nobody knows whether a licence was suspended or
    revoked since: one whose seal holds gives 2. With --offline the status list tells.
    """
    with file.open("rb") as opened:
        head = opened.read(_HEAD)
    if _PDF in head:
        return _document(file, trust, offline, as_json=as_json)
    return _answer(file, trust, as_json=as_json)


def _document(file: Path, trust: Path | None, offline: Path | None, *, as_json: bool) -> int:
    from portal.check_answers import report_json
    from portal.check_lines import EXIT_CODES

    if offline is not None:
        report = _with_folder(file, offline)
    else:
        report = _offline(file, trust) if trust is not None else _with_library(file)
    if as_json:
        click.echo(json.dumps(report_json(report), ensure_ascii=False, indent=2))
    else:
        _print_report(report)
    return EXIT_CODES[report.headline]


def _offline(file: Path, trust: Path) -> "CheckReport":
    from documents.sandbox import Sandbox
    from portal.bootstrap import verifier
    from portal.checking import check_offline
    from seals.trust import TrustList
    from storage.clock import SystemClock

    sandbox = Sandbox()
    anchors = TrustList.from_pem(trust.read_bytes())
    return check_offline(file, anchors, verifier(sandbox), sandbox, SystemClock().now())


def _with_folder(file: Path, folder: Path) -> "CheckReport":
    from documents.sandbox import Sandbox
    from portal.bootstrap import verifier
    from portal.offline import check_with_folder, read_folder
    from storage.clock import SystemClock

    sandbox = Sandbox()
    return check_with_folder(file, read_folder(folder), verifier(sandbox), sandbox, SystemClock().now())


def _with_library(file: Path) -> "CheckReport":
    from storage.identity import PUBLIC

    try:
        rooms, _ = open_installation()
    except NotInitialisedError:
        raise TrustNeededError from None
    try:
        return rooms.checks.check(PUBLIC, file)
    finally:
        rooms.close()


def _print_report(report: "CheckReport") -> None:
    from portal.check_lines import HEADLINE_TITLES
    from storage.clock import rfc3339

    zh, en = HEADLINE_TITLES[report.headline]
    click.echo(f"{zh}：{report.sentence[0]}")
    click.echo(f"{en}: {report.sentence[1]}")
    for (title_zh, title_en), line in report.lines:
        click.echo(f"  {title_zh} {title_en}：{line.zh} / {line.en}")
    for signature in report.verdict.signatures:
        when = rfc3339(signature.sealed_at) if signature.sealed_at else "—"
        click.echo(f"  签章 seal     {signature.seal_name or signature.signer}  {when}")
    click.echo(f"  SHA-256       {report.verdict.sha256}")
    click.echo(f"  核验时间 at   {rfc3339(report.verdict.at)}")
    if report.promise is not None:
        click.echo(f"  存证承诺 promise {report.promise.core_sha256}")
        click.echo(f"  领取回执 receipt: cunzheng ledger receipt {report.promise.core_sha256}")


def _answer(file: Path, trust: Path | None, *, as_json: bool) -> int:
    from licenses.answers import MAX_ANSWER, verify_answer
    from licenses.errors import AnswerInvalidError

    text = _jws_of(file.read_bytes()[: 4 * MAX_ANSWER])
    if text.count(".") != _JWS_DOTS or len(text.split()) != 1:
        raise NotADocumentError
    try:
        answer = verify_answer(text, _key_set(trust))
    except AnswerInvalidError as error:
        click.echo(f"无效 / Invalid: {error.title_zh} / {error.title_en} ({error.facts.get('rule', '')})")
        return EXIT_INVALID
    redeemed = None if trust is not None else _redeemed(answer.promise["core_sha256"])
    if as_json:
        shown = {"decision": answer.decision, "promise": answer.promise, "entry": redeemed}
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        _print_answer(answer.decision, answer.promise["core_sha256"], redeemed)
    return EXIT_DONE


def _jws_of(data: bytes) -> str:
    text = data.decode("ascii", "replace").strip()
    if not text.startswith("{"):
        return text
    try:
        return str(json.loads(data).get("jws", ""))
    except (ValueError, RecursionError):
        return ""


def _key_set(trust: Path | None) -> Any:  # noqa: ANN401 - JSON from outside, judged by verify_answer
    from licenses.answers import AnswerKeys

    if trust is None:
        try:
            return AnswerKeys(require_installation().keys).jwks()
        except NotInitialisedError:
            raise TrustNeededError from None
    try:
        return json.loads(trust.read_bytes())
    except (ValueError, RecursionError):
        raise InvalidInputError(option="--trust", rule="a JSON Web Key Set") from None


def _redeemed(act: str) -> int | None:
    """Give the entry that redeems the promise, if the installation's ledger holds it already."""
    from sqlalchemy import select

    from storage.ledger.models import LedgerEntry

    rooms, _ = open_installation()
    try:
        with rooms.database.reading() as uow:
            return uow.session.scalar(select(LedgerEntry.seq).where(LedgerEntry.act_id == act))
    finally:
        rooms.close()


def _print_answer(decision: Any, act: str, redeemed: int | None) -> None:  # noqa: ANN401 - JSON of a signed answer
    click.echo("有效 / Valid: 核验结论签名成立 / the decision's signature holds")
    for requirement in decision["requirements"]:
        click.echo(f"  {requirement['result']:8} {requirement['zh']} / {requirement['en']}")
    if redeemed is None:
        click.echo(f"  存证承诺 promise {act}")
    else:
        click.echo(f"  存证承诺已兑现 promise redeemed: 第 {redeemed} 条 / entry {redeemed}")
        click.echo(f"  领取回执 receipt: cunzheng ledger receipt {act}")
