# SPDX-License-Identifier: Apache-2.0
"""``cunzheng-verify``: judges an exported log, a receipt, a checkpoint or an evidence bundle offline.

Loads no database, web, object-store or settings library (a test looks). What is trusted comes from the
command line, never from the files that are judged. Exit codes: 0 valid, 1 invalid, 2 cannot tell,
64 usage, 70 internal error.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from storage.errors import EXIT_INTERNAL, EXIT_USAGE, CunzhengError
from storage.ledger.errors import LedgerFormatError, PolicyError, QuorumError
from storage.ledger.findings import TITLES, LogReport, Verdict
from storage.ledger.notes import MAX_NOTE
from storage.ledger.policies import Policy, parse_policy
from storage.ledger.ports import TokenVerifier
from storage.ledger.receipts import is_receipt, verify_receipt
from storage.ledger.verification import verify_log

_HEADLINES = {
    Verdict.VALID: "有效 VALID",
    Verdict.INVALID: "无效 INVALID",
    Verdict.CANNOT_TELL: "无法判定 CANNOT TELL",
}
_MAX_FILE = 4 << 20
_ZIP = b"PK\x03\x04"
_DIGEST = set("0123456789abcdef")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def _digest(text: str) -> str:
    if len(text) != 64 or not set(text) <= _DIGEST:
        raise argparse.ArgumentTypeError("64 lower-case hexadecimal digits")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="cunzheng-verify",
        description="离线核验审计链、回执、检查点或证据包 / Verify a ledger, receipt, checkpoint or bundle.",
        epilog="退出码 exit codes: 0 有效 valid, 1 无效 invalid, 2 无法判定 cannot tell, 64, 70 errors",
    )
    parser.add_argument("path", metavar="PATH", type=Path, help="导出文件夹或文件 / export folder, or file")
    parser.add_argument(
        "--policy", metavar="FILE", type=Path, required=True, help="信任策略 / tlog-policy: whom you trust"
    )
    parser.add_argument(
        "--ca", metavar="PEM", type=Path, help="时间戳信任证书 / certificates that time stamps must lead to"
    )
    parser.add_argument(
        "--known",
        metavar="FILE",
        type=Path,
        help="上次保存的检查点或回执 / checkpoint or receipt kept from an earlier visit: must be extended",
    )
    parser.add_argument(
        "--keys",
        metavar="JWKS",
        type=Path,
        help="事先保存的公钥集，核验证据包用 / the installation's key set, kept before: for evidence bundles",
    )
    parser.add_argument(
        "--promise", metavar="HEX", type=_digest, help="存证承诺中的摘要 / core digest the promise named"
    )
    parser.add_argument(
        "--body",
        metavar="FILE",
        type=Path,
        help="调用方留存的请求正文，核验批量的证据包用 / the body that its sender kept: for a batch's bundle",
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON / print JSON")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; give its exit code."""
    options = _parser().parse_args(arguments)
    try:
        policy = parse_policy(_text(options.policy))
        verdict, answer = _judge(options, policy)
    except PolicyError as error:
        return _complain(f"{error.title_zh} / {error.title_en}: {error}", EXIT_USAGE)
    except (_UsageError, OSError, UnicodeDecodeError) as error:
        return _complain(str(error), EXIT_USAGE)
    except Exception as error:  # noqa: BLE001 - whatever happens, it is never "valid"
        return _complain(f"{type(error).__name__}", EXIT_INTERNAL)
    if options.json:
        sys.stdout.write(json.dumps({"verdict": verdict, **answer}, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write("\n".join([_HEADLINES[verdict], *_lines(answer)]) + "\n")
    return verdict.exit_code


class _UsageError(Exception):
    """The command line asks for something that cannot be done."""


def _complain(text: str, code: int) -> int:
    sys.stderr.write(f"cunzheng-verify: {text}\n")
    return code


def _checked(path: Path) -> Path:
    if path.stat().st_size > _MAX_FILE:
        raise _UsageError(f"{path.name}: too large")
    return path


def _text(path: Path) -> str:
    return _checked(path).read_text(encoding="utf-8")


def _bytes(path: Path) -> bytes:
    return _checked(path).read_bytes()


def _is_bundle(path: Path) -> bool:
    return path.is_file() and _bytes(path).startswith(_ZIP)


def _judge(options: argparse.Namespace, policy: Policy) -> tuple[Verdict, dict[str, Any]]:
    if options.body is not None and not _is_bundle(options.path):
        raise _UsageError("--body: only an evidence bundle is checked with the body that was sent")
    if options.path.is_dir():
        known = options.known.read_bytes() if options.known else None
        report = verify_log(options.path, policy, _token_verifier(options.ca), known)
        return report.verdict, _log_answer(report, options.ca)
    data = _bytes(options.path)
    if data.startswith(_ZIP):
        return _bundle_answer(data, policy, options)
    try:
        answer = (
            _receipt_answer(data, policy, options.promise) if is_receipt(data) else _note_answer(data, policy)
        )
    except QuorumError as error:
        return Verdict.CANNOT_TELL, _refused(error)
    except CunzhengError as error:
        return Verdict.INVALID, _refused(error)
    return Verdict.VALID, answer


def _token_verifier(certificates: Path | None) -> TokenVerifier | None:
    if certificates is None:
        return None
    # Hashes and signatures need none of this: who gives no certificates does without.
    from seals.tokens import TrustedTokens  # noqa: PLC0415
    from seals.trust import TrustList  # noqa: PLC0415

    try:
        return TrustedTokens(TrustList.from_pem(certificates.read_bytes()))
    except (CunzhengError, ValueError) as error:
        raise _UsageError(f"{certificates.name}: not PEM certificates") from error


def _receipt_answer(data: bytes, policy: Policy, promised: str | None) -> dict[str, Any]:
    proved = verify_receipt(data, policy, promised)
    core: dict[str, Any] = json.loads(proved.entry.core)
    return {
        "kind": "receipt",
        "origin": proved.checkpoint.origin,
        "size": proved.checkpoint.size,
        "root": proved.checkpoint.root.hex(),
        "seq": proved.entry.seq,
        "at": proved.entry.at,
        "act": proved.entry.act_id,
        "promise_redeemed": promised is not None,
        "core": core,
    }


def _bundle_answer(
    data: bytes, policy: Policy, options: argparse.Namespace
) -> tuple[Verdict, dict[str, Any]]:
    # As with certificates: who checks no bundle does without.
    from licenses.bundle import TITLES as CHECKS  # noqa: PLC0415
    from licenses.bundle import State, judge_bundle  # noqa: PLC0415

    trusted = None if options.keys is None else _key_set(options.keys)
    sent = None if options.body is None else _bytes(options.body)
    findings = judge_bundle(data, policy, trusted, sent)
    states = {one.state for one in findings}
    verdict = Verdict.VALID if states == {State.HOLDS} else Verdict.CANNOT_TELL
    if State.FAILS in states:
        verdict = Verdict.INVALID
    checks = [
        {"check": one.check, "state": one.state, "zh": CHECKS[one.check][0], "en": CHECKS[one.check][1]}
        for one in findings
    ]
    return verdict, {
        "kind": "bundle",
        "checks": checks,
        "keys_trusted": trusted is not None,
        "body_given": sent is not None,
    }


def _key_set(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_text(path))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise _UsageError(f"{path.name}: no key set (JWKS)")
    return found


def _note_answer(data: bytes, policy: Policy) -> dict[str, Any]:
    if len(data) > MAX_NOTE:
        raise LedgerFormatError(rule="neither-receipt-nor-checkpoint")
    checkpoint, _ = policy.open(data)
    return {
        "kind": "checkpoint",
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
    }


def _refused(error: CunzhengError) -> dict[str, Any]:
    return {
        "kind": "file",
        "code": error.code,
        "zh": error.title_zh,
        "en": error.title_en,
        "facts": error.facts,
    }


def _log_answer(report: LogReport, certificates: Path | None) -> dict[str, Any]:
    findings = [
        {
            "rule": one.rule,
            "file": one.file,
            "seq": one.seq,
            "zh": TITLES[one.rule][0],
            "en": TITLES[one.rule][1],
        }
        for one in report.findings
    ]
    return {
        "kind": "log",
        "origin": report.origin,
        "size": report.size,
        "root": report.root,
        "first_bad": report.first_bad,
        "first_bad_exact": report.exact if report.first_bad is not None else None,
        "findings": findings,
        "anchors": report.anchors,
        "tokens": report.tokens,
        "tokens_unjudged": report.tokens_unjudged,
        "tokens_trusted_by": certificates.name if certificates else None,
        "last_token": report.last_token,
        "anchored": report.anchored,
        "details": report.details,
    }


def _lines(answer: dict[str, Any]) -> list[str]:
    if answer["kind"] == "log":
        return _log_lines(answer)
    if answer["kind"] == "bundle":
        return _bundle_lines(answer)
    if answer["kind"] == "file":
        facts = " ".join(f"{name}={value}" for name, value in answer["facts"].items())
        return [f"{answer['zh']} / {answer['en']} ({answer['code']} {facts})"]
    lines = [f"审计链 log: {answer['origin']}", f"检查点 checkpoint: {answer['size']} {answer['root']}"]
    if answer["kind"] == "receipt":
        core = answer["core"]
        lines.append(f"条目 entry: {answer['seq']}，{answer['at']}")
        lines.append(f"行为 act: {core.get('kind')} {core.get('outcome')}，{answer['act']}")
        redeemed = "已兑现 redeemed" if answer["promise_redeemed"] else "未给出 none given (--promise)"
        lines.append(f"存证承诺 promise: {redeemed}")
    return lines


def _bundle_lines(answer: dict[str, Any]) -> list[str]:
    marks = {"holds": "✓", "cannot-tell": "?", "fails": "✕"}
    lines = [f"{marks[one['state']]} {one['zh']} / {one['en']} [{one['check']}]" for one in answer["checks"]]
    if not answer["keys_trusted"]:
        lines.append("未给出公钥集 no key set given (--keys): our signature cannot be believed")
    covered = {one["check"]: one["state"] for one in answer["checks"]}.get("request-body")
    if answer["body_given"] and covered == "holds":
        lines.append("请求正文为调用方留存的一份 body: the copy that its sender kept (--body)")
    elif answer["body_given"] and covered == "fails":
        lines.append("所给请求正文不是被签名的正文 the body given is not the one that was signed (--body)")
    elif covered == "cannot-tell":
        lines.append("包内无请求正文 no body in the bundle: give the copy that its sender kept (--body)")
    return lines


def _log_lines(answer: dict[str, Any]) -> list[str]:
    lines = [
        f"审计链 log: {answer['origin']}",
        f"条目 entries: {answer['size']}，根 root: {answer['root']}",
        f"锚定检查点 anchored checkpoints: {answer['anchors']}",
    ]
    if answer["tokens_unjudged"]:
        lines.append(f"时间戳未核验 time stamps not judged: {answer['tokens_unjudged']} (--ca PEM)")
    else:
        until = f"{answer['anchored']}，{answer['last_token']}" if answer["tokens"] else "-"
        lines.append(f"时间戳 time stamps: {answer['tokens']}，覆盖条目数 entries covered: {until}")
    details = "未包含 not included" if answer["details"] is None else answer["details"]
    lines.append(f"详情 details: {details}")
    if answer["first_bad"] is not None:
        word = (
            "首个问题条目 first bad entry"
            if answer["first_bad_exact"]
            else "问题始于此后 bad at or after entry"
        )
        lines.append(f"{word}: {answer['first_bad']}")
    for one in answer["findings"]:
        place = " ".join(str(part) for part in (one["file"], one["seq"]) if part not in {"", None})
        lines.append(f"- {one['zh']} / {one['en']}" + (f" [{place}]" if place else ""))
    return lines


if __name__ == "__main__":
    sys.exit(main())
