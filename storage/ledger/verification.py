# SPDX-License-Identifier: Apache-2.0
"""Verification of an exported log: pure over a folder, with nothing but public keys.

Checks that the checkpoint is signed as the policy demands; that entries are canonical, dense, chained and
in time order; that their root is the signed one; that tiles, details, anchors and the list of files agree.
Names the first bad sequence number. Needs no database, network or settings.
"""

from pathlib import Path

from storage.clock import rfc3339
from storage.errors import CunzhengError
from storage.ledger.errors import QuorumError
from storage.ledger.filelist import ExportFolder, check_file_list
from storage.ledger.findings import LogReport, Rule
from storage.ledger.leaves import LeafWalk, SignedHead
from storage.ledger.notes import Checkpoint, Note, parse_note
from storage.ledger.policies import Policy
from storage.ledger.ports import TokenVerifier
from storage.ledger.receipts import is_receipt, parse_receipt


def verify_log(
    folder: Path, policy: Policy, tokens: TokenVerifier | None = None, known: bytes | None = None
) -> LogReport:
    """Verify everything that an export holds.

    Args:
        folder: The export.
        policy: What the verifier trusts; never read from the export.
        tokens: Judges the anchors' tokens; without it they are counted as unjudged.
        known: A checkpoint or receipt that the verifier kept from an earlier visit: the log must extend it.

    Returns:
        The report; findings stand in it, nothing is raised for a bad export.
    """
    return _Verification(ExportFolder(folder), policy, tokens).run(known)


class _Verification:
    def __init__(self, export: ExportFolder, policy: Policy, tokens: TokenVerifier | None) -> None:
        self._export = export
        self._policy = policy
        self._tokens = tokens
        self._heads: list[SignedHead] = []
        self._report = LogReport()

    def run(self, known: bytes | None) -> LogReport:
        report = self._report
        opened = self._open("checkpoint", Rule.CHECKPOINT_REFUSED)
        if opened is not None:
            newest = opened[0]
            report.origin, report.size, report.root = newest.origin, newest.size, newest.root.hex()
            self._anchors(newest)
            self._earlier_visit(newest, known)
            LeafWalk(self._export, newest, self._heads, report).run()
        key = self._export.read("vkey")
        if key is not None and key not in {f"{one}\n".encode() for one in self._policy.logs}:
            report.add(Rule.KEY_DIFFERS, "vkey")
        check_file_list(self._export, report)
        return report

    def _open(self, path: str, otherwise: Rule) -> tuple[Checkpoint, Note] | None:
        data = self._export.read(path)
        if data is None:
            self._report.add(Rule.CHECKPOINT_MISSING, path)
            return None
        try:
            return self._policy.open(data)
        except QuorumError:
            # The log's own signature holds: go on, and let the missing witnesses decide the verdict.
            self._report.add(Rule.QUORUM_MISSING, path)
            note = parse_note(data)
            return Checkpoint.parse_text(note.text), note
        except CunzhengError:
            self._report.add(otherwise, path)
            return None

    def _expect(self, newest: Checkpoint, head: SignedHead, ahead: Rule) -> None:
        if head.checkpoint.size > newest.size:
            self._report.add(ahead, head.file, newest.size)
            self._report.blame(newest.size)
        else:
            self._heads.append(head)

    def _anchors(self, newest: Checkpoint) -> None:
        for path in sorted(self._export.files):
            folder, slash, name = path.rpartition("/")
            if not folder.startswith("anchor/") or not slash or name != "tsr":
                continue
            opened = self._open(f"{folder}/checkpoint", Rule.ANCHOR_REFUSED)
            if opened is None:
                continue
            checkpoint, note = opened
            if folder != f"anchor/{checkpoint.size:020d}" or checkpoint.origin != newest.origin:
                self._report.add(Rule.ANCHOR_REFUSED, f"{folder}/checkpoint")
                continue
            head = SignedHead(checkpoint, f"{folder}/checkpoint", Rule.ANCHOR_REFUSED)
            self._expect(newest, head, Rule.ANCHOR_AHEAD)
            self._token(path, note, checkpoint.size)

    def _token(self, path: str, note: Note, size: int) -> None:
        report = self._report
        if self._tokens is None:
            report.tokens_unjudged += 1
            return
        try:
            at = self._tokens.verify(self._export.read(path) or b"", note.imprint())
        except CunzhengError:
            report.add(Rule.TOKEN_REFUSED, path)
            return
        report.tokens += 1
        report.last_token = max(report.last_token or "", rfc3339(at))
        report.anchored = max(report.anchored, size)

    def _earlier_visit(self, newest: Checkpoint, known: bytes | None) -> None:
        if known is None:
            return
        try:
            data = parse_receipt(known).checkpoint if is_receipt(known) else known
            checkpoint, _ = self._policy.open(data)
        except CunzhengError:
            self._report.add(Rule.KNOWN_REFUSED)
            return
        if checkpoint.origin != newest.origin:
            self._report.add(Rule.KNOWN_REFUSED)
            return
        self._expect(newest, SignedHead(checkpoint, "", Rule.FORKED), Rule.SHORTER_THAN_KNOWN)
