# SPDX-License-Identifier: Apache-2.0
"""What the ledger refuses. Facts hold positions, counts and rules, never the bytes refused."""

from storage.errors import (
    EXIT_CANNOT_TELL,
    EXIT_INVALID,
    EXIT_REFUSED,
    EXIT_USAGE,
    ConflictError,
    CunzhengError,
    NotFoundError,
)


class LedgerFormatError(CunzhengError):
    """Bytes that claim to be one of the ledger's formats are not; ``rule`` names the rule broken."""

    code = "ledger-format"
    status = 422
    exit_code = EXIT_INVALID
    title_zh = "不符合审计链的文件格式"
    title_en = "Not in the ledger's format"
    remedy_zh = "请使用系统原样导出的文件，不要编辑或重新保存。"
    remedy_en = "Use the file exactly as it was exported; do not edit or re-save it."


class ProofRefusedError(CunzhengError):
    """A Merkle proof, a signature or a promised digest does not hold; ``rule`` names which."""

    code = "ledger-proof-refused"
    status = 422
    exit_code = EXIT_INVALID
    title_zh = "存证证明不成立"
    title_en = "The proof does not hold"
    remedy_zh = "请保留该文件并联系电子监察人员。"
    remedy_en = "Keep the file and call the supervision office."


class PolicyError(CunzhengError):
    """The verifier's policy file is malformed; ``line`` and ``rule`` say where."""

    code = "ledger-policy"
    status = 422
    exit_code = EXIT_USAGE
    title_zh = "校验策略文件有误"
    title_en = "The policy file is malformed"
    remedy_zh = "请按所列行号更正策略文件，或向运维人员索取。"
    remedy_en = "Correct the named line, or ask the operator for the policy file."


class QuorumError(CunzhengError):
    """The checkpoint is genuine, but too few witnesses of the policy have signed it."""

    code = "ledger-quorum"
    status = 409
    exit_code = EXIT_CANNOT_TELL
    title_zh = "见证方签名不足，无法判定"
    title_en = "Too few witnesses have signed; cannot tell"
    remedy_zh = "请稍后索取见证方已签署的检查点。"
    remedy_en = "Ask later for a checkpoint that the witnesses have signed."


class SequencerRunningError(ConflictError):
    """Another sequencer holds this log."""

    code = "sequencer-running"
    exit_code = EXIT_REFUSED
    title_zh = "已有定序进程在运行"
    title_en = "Another sequencer holds this log"
    remedy_zh = "同一审计链只能运行一个定序进程；请先停止另一个。"
    remedy_en = "One log has one sequencer; stop the other one first."


class FencedError(ConflictError):
    """A newer sequencer has taken this log over; this one must stop without writing."""

    code = "sequencer-fenced"
    exit_code = EXIT_REFUSED
    title_zh = "本定序进程已被取代"
    title_en = "A newer sequencer has taken over"
    remedy_zh = "请停止本进程。"
    remedy_en = "Stop this process."


class LedgerCorruptError(CunzhengError):
    """The stored ledger contradicts itself; ``seq`` names the first entry concerned."""

    code = "ledger-corrupt"
    status = 500
    title_zh = "审计链存储自相矛盾"
    title_en = "The stored ledger contradicts itself"
    remedy_zh = "立即停止定序进程，数据库与对象库保持原样；核对最近一次导出后从备份恢复，不得续写。"
    remedy_en = "Stop the sequencer, change nothing, check the newest export, restore the newest backup."


class HistoryDiffersError(LedgerCorruptError):
    """What was published is not a continuation of the backup: they are of different histories."""

    code = "history-differs"
    title_zh = "备份与已发布的审计链不是同一历史"
    title_en = "The backup and the published log are of different histories"
    remedy_zh = "请核对备份、对象库与密钥目录属于同一系统；核对无误时请通知电子监察，不得续写。"
    remedy_en = "Check that backup, object store and key folder belong together; if so, call supervision."


class ReceiptNotReadyError(NotFoundError):
    """The act is recorded but no published checkpoint covers it yet.

    What it belongs to is there, so whoever made it is not told that it cannot be found.
    """

    code = "receipt-not-ready"
    status = 409
    retry_after = 5
    title_zh = "存证回执尚未生成"
    title_en = "The receipt is not ready yet"
    remedy_zh = "检查点发布后即可领取，请一分钟内重试。"
    remedy_en = "It is there once the next checkpoint is published; ask again within a minute."


class ExportFolderError(ConflictError):
    """The folder for an export holds something; an export is written into a new or empty one only."""

    code = "export-folder-not-empty"
    title_zh = "导出目录不是空的"
    title_en = "The folder for the export is not empty"
    remedy_zh = "请另指定一个新目录或空目录；每次导出各用一个目录，已有的导出不会被改写。"
    remedy_en = "Name a new or empty folder; each export has its own, and none is overwritten."


class NothingSignedError(NotFoundError):
    """The log has no signed checkpoint yet, so there is nothing that anybody could verify."""

    code = "ledger-nothing-signed"
    title_zh = "审计链尚无已签署的检查点"
    title_en = "The ledger has no signed checkpoint yet"
    remedy_zh = "请确认 sequencer 进程正在运行，数秒后重试。"
    remedy_en = "See that the sequencer runs, and try again in a few seconds."


class RebuildError(CunzhengError):
    """A detail cannot be replayed; ``seq`` names the entry, ``rule`` the reason."""

    code = "ledger-rebuild"
    status = 500
    title_zh = "无法由审计链重建"
    title_en = "Cannot rebuild from the ledger"
    remedy_zh = "请核对密钥文件夹与导出内容是否属于同一系统。"
    remedy_en = "Check that key folder and export belong to the same installation."
