# SPDX-License-Identifier: Apache-2.0
"""What a verification of an exported log says: a verdict, and findings with file and first bad sequence."""

import enum
from dataclasses import dataclass, field

from storage.errors import EXIT_CANNOT_TELL, EXIT_DONE, EXIT_INVALID


class Verdict(enum.StrEnum):
    """The three answers, from best to worst."""

    VALID = "valid"
    CANNOT_TELL = "cannot-tell"
    INVALID = "invalid"

    @property
    def exit_code(self) -> int:
        """Give the process exit code (rule 10 of docs/architecture.md)."""
        return {"valid": EXIT_DONE, "cannot-tell": EXIT_CANNOT_TELL, "invalid": EXIT_INVALID}[self.value]


class Rule(enum.StrEnum):
    """What was found; ``TITLES`` says it in two languages and how much it weighs."""

    CHECKPOINT_MISSING = "checkpoint-missing"
    CHECKPOINT_REFUSED = "checkpoint-refused"
    QUORUM_MISSING = "quorum-missing"
    ENTRIES_NOT_INCLUDED = "entries-not-included"
    ENTRY_REMOVED = "entry-removed"
    ENTRY_ADDED = "entry-added"
    ENTRY_MALFORMED = "entry-malformed"
    ENTRY_SEQUENCE = "entry-sequence"
    ENTRY_CHAIN = "entry-chain"
    ENTRY_TIME = "entry-time"
    ENTRY_LOG = "entry-log"
    ENTRY_DIFFERS = "entry-differs"
    HISTORY_REWRITTEN = "history-rewritten"
    TILE_MISSING = "tile-missing"
    TILE_DIFFERS = "tile-differs"
    DETAIL_MISSING = "detail-missing"
    DETAIL_DIFFERS = "detail-differs"
    ANCHOR_REFUSED = "anchor-refused"
    ANCHOR_AHEAD = "anchor-ahead"
    TOKEN_REFUSED = "token-refused"  # noqa: S105 - a rule's name
    KNOWN_REFUSED = "known-refused"
    SHORTER_THAN_KNOWN = "shorter-than-known"
    FORKED = "forked"
    KEY_DIFFERS = "key-differs"
    FILE_DIFFERS = "file-differs"
    FILE_MISSING = "file-missing"
    FILE_UNKNOWN = "file-unknown"
    FILE_LIST_MALFORMED = "file-list-malformed"


TITLES: dict[Rule, tuple[str, str]] = {
    Rule.CHECKPOINT_MISSING: ("缺少检查点文件", "The checkpoint is missing"),
    Rule.CHECKPOINT_REFUSED: ("检查点签名或格式不成立", "The checkpoint's signature or form does not hold"),
    Rule.QUORUM_MISSING: ("见证方签名不足", "Too few witnesses have signed"),
    Rule.ENTRIES_NOT_INCLUDED: ("未包含条目，只能核对哈希", "No entries included; only hashes were checked"),
    Rule.ENTRY_REMOVED: ("条目被删除或缺失", "An entry was removed or is missing"),
    Rule.ENTRY_ADDED: ("多出条目", "An entry was added"),
    Rule.ENTRY_MALFORMED: ("条目格式被破坏", "An entry is malformed"),
    Rule.ENTRY_SEQUENCE: ("条目序号不连续", "Sequence numbers are not dense"),
    Rule.ENTRY_CHAIN: ("条目链断开", "The chain of entries is broken"),
    Rule.ENTRY_TIME: ("条目时间倒退", "An entry's time goes back"),
    Rule.ENTRY_LOG: ("条目属于其他审计链", "An entry belongs to another log"),
    Rule.ENTRY_DIFFERS: ("条目与哈希树不符", "An entry differs from the tree"),
    Rule.HISTORY_REWRITTEN: (
        "历史被改写，与签名的检查点不符",
        "History was rewritten: another root is signed",
    ),
    Rule.TILE_MISSING: ("哈希文件缺失", "A tile is missing"),
    Rule.TILE_DIFFERS: ("哈希文件被改动", "A tile was altered"),
    Rule.DETAIL_MISSING: ("详情缺失", "A detail is missing"),
    Rule.DETAIL_DIFFERS: ("详情被改动", "A detail was altered"),
    Rule.ANCHOR_REFUSED: ("锚定的检查点不成立", "An anchored checkpoint does not hold"),
    Rule.ANCHOR_AHEAD: ("锚定长度超过导出长度，导出被截短", "Anchored beyond the export: it was cut short"),
    Rule.TOKEN_REFUSED: ("时间戳令牌不成立", "A time-stamp token does not hold"),
    Rule.KNOWN_REFUSED: ("上次保存的检查点不成立", "The checkpoint kept from last time does not hold"),
    Rule.SHORTER_THAN_KNOWN: ("比上次所见更短", "Shorter than what was seen last time"),
    Rule.FORKED: ("与上次所见不一致，审计链分叉", "Contradicts what was seen last time: a fork"),
    Rule.KEY_DIFFERS: ("导出中的公钥与策略不符", "The export's key is not the policy's"),
    Rule.FILE_DIFFERS: ("文件被改动", "A file was altered"),
    Rule.FILE_MISSING: ("文件缺失", "A file is missing"),
    Rule.FILE_UNKNOWN: ("多出文件", "A file is not in the list"),
    Rule.FILE_LIST_MALFORMED: ("文件清单格式被破坏", "The list of files is malformed"),
}

_UNDECIDED = {Rule.QUORUM_MISSING, Rule.ENTRIES_NOT_INCLUDED}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    Attributes:
        rule: What.
        file: In which file of the export, "" when it concerns the whole.
        seq: First entry concerned, if entries are.
    """

    rule: Rule
    file: str = ""
    seq: int | None = None


@dataclass(slots=True)
class LogReport:
    """What is known of an exported log after verification.

    Attributes:
        origin: The log's name, once its checkpoint was accepted.
        size: Number of entries that the checkpoint covers.
        root: Hex root of the checkpoint.
        findings: Everything found, in the order found.
        first_bad: First bad sequence number, None when entries are sound.
        exact: False when ``first_bad`` is only a lower bound (everything was re-hashed).
        anchors: Number of anchored checkpoints that agree with the log.
        tokens: Number of time-stamp tokens that verified.
        tokens_unjudged: Number of tokens that nobody could judge here (no certificates given).
        last_token: Time of the latest verified token, RFC 3339.
        anchored: Largest size under a verified token.
        details: Number of details whose digests agree; None when details are not included.
    """

    origin: str = ""
    size: int = 0
    root: str = ""
    findings: list[Finding] = field(default_factory=list)
    first_bad: int | None = None
    exact: bool = True
    anchors: int = 0
    tokens: int = 0
    tokens_unjudged: int = 0
    last_token: str | None = None
    anchored: int = 0
    details: int | None = None

    def add(self, rule: Rule, file: str = "", seq: int | None = None) -> None:
        """Add a finding; of one rule only the first per file is kept."""
        if not any(one.rule is rule and one.file == file for one in self.findings):
            self.findings.append(Finding(rule, file, seq))

    def blame(self, seq: int, *, exact: bool = True) -> None:
        """Lower the first bad sequence number."""
        if self.first_bad is None or seq < self.first_bad:
            self.first_bad, self.exact = seq, exact

    @property
    def verdict(self) -> Verdict:
        """Give the worst that the findings allow."""
        if any(finding.rule not in _UNDECIDED for finding in self.findings):
            return Verdict.INVALID
        return Verdict.CANNOT_TELL if self.findings else Verdict.VALID
