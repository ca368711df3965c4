# SPDX-License-Identifier: Apache-2.0
"""What the archive refuses, as data. No error ever carries a name, a number of a person or content."""

from dataclasses import dataclass

from storage.database import UnitOfWork
from storage.errors import ConflictError, CunzhengError, InvalidInputError, NotFoundError, RefusedError
from storage.ledger.acts import Act, Promise


class ArchiveDataError(CunzhengError):
    """A data file of the room (checks, number templates) contradicts its own rules."""

    code = "archive-data-broken"
    title_zh = "归档数据文件有误"
    title_en = "A data file of the archive is broken"
    remedy_zh = "请按提示更正数据文件后重新启动。"
    remedy_en = "Correct the named data file and start again."


class FilingIncompleteError(InvalidInputError):
    """The files received are not the files that the metadata list; ``facts`` count them."""

    code = "filing-incomplete"
    title_zh = "收到的文件与元数据所列材料不一致"
    title_en = "The files received are not those that the metadata list"
    remedy_zh = "请为元数据所列每份材料上传一个同名文件部分，不多不少。"
    remedy_en = "Send one file part, of the same name, for each material that the metadata list."


@dataclass(frozen=True, slots=True)
class Difference:
    """How a set differs from the one that stands: materials by their codes, never names or content.

    The second file of a code is ``code-2``; what the item does not know is ``outside-scope``.

    Attributes:
        added: Materials that only the new set has.
        removed: Materials that only the standing set has.
        changed: Materials that both have, with other bytes.
        metadata: Whether the metadata differ.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    metadata: bool


class GroundsRequiredError(InvalidInputError):
    """A legal hold is placed or lifted without a reason or a legal basis; fact ``field`` says which."""

    code = "hold-grounds-required"
    title_zh = "保全与解除保全须写明理由和法律依据"
    title_en = "A legal hold needs a reason and a legal basis, and so does lifting it"
    remedy_zh = "请填写理由和法律依据，各 1 至 200 字；不要写入个人信息。"
    remedy_en = "Give both, of 1 to 200 characters each; write no personal data into them."


class HoldNotFoundError(NotFoundError):
    """No hold with this id stands."""

    code = "hold-not-found"
    title_zh = "没有该编号的有效保全"
    title_en = "No hold with this id stands"
    remedy_zh = "请用 cunzheng hold list 查看有效保全。"
    remedy_en = "See the holds that stand with cunzheng hold list."


class SupplementTooEarlyError(ConflictError):
    """Further material came for a case that has no filed dossier yet."""

    code = "supplement-too-early"
    title_zh = "该办件尚无已归档案卷，不能补充归档"
    title_en = "The case has no filed dossier to supplement"
    remedy_zh = "请先完成该办件的归档；归档完成后再补充。"
    remedy_en = "File the case first; supplement it when its dossier is filed."


class FilingConflictError(ConflictError):
    """The case is filed, or being filed, with another set; ``difference`` names what differs.

    ``facts`` hold counts only, so that a log line names no file.
    """

    code = "filing-conflict"
    title_zh = "该办件已归档或正在归档，且内容不同"
    title_en = "The case is filed or being filed with other content"
    remedy_zh = "请核对差异；已归档案卷不可替换，退回后方可重新提交，归档后到的材料请补充归档。"
    remedy_en = (
        "Look at the difference; a filed dossier is never replaced: a returned filing is sent anew, and what "
        "came after filing is sent as a supplement."
    )

    def __init__(self, state: str, difference: Difference) -> None:
        super().__init__(
            state=state,
            added=len(difference.added),
            removed=len(difference.removed),
            changed=len(difference.changed),
            metadata=int(difference.metadata),
        )
        self.difference = difference


class ClassifiedMaterialError(RefusedError):
    """The submission says that it holds classified material; nothing of it is kept.

    The unit of work of the call rolls back with this error; the caller opens another one and calls
    :meth:`record` there, so that the refusal itself is never lost.

    Args:
        act: The ``filing.refused`` act.
    """

    code = "classified-material"
    status = 422
    title_zh = "涉密材料不得归入本系统"
    title_en = "Classified material is refused"
    remedy_zh = "本系统仅处理非涉密政务；请按保密规定另行归档，并清除误传文件。"
    remedy_en = (
        "This system is for unclassified affairs; file it as the secrecy rules say and remove the upload."
    )

    def __init__(self, act: Act) -> None:
        super().__init__()
        self.act = act

    def record(self, uow: UnitOfWork) -> Promise:
        """Store the refusal in a unit of work of its own; the caller commits it."""
        return uow.record(self.act)


class ReceiptGoneError(CunzhengError):
    """The set was received, but its receipt was not rebuilt: receipts hold promises and no act holds them."""

    code = "filing-receipt-gone"
    status = 410
    title_zh = "该归档已接收，收件回执未随重建恢复"
    title_en = "The set was received; its receipt was not rebuilt"
    remedy_zh = "请查询办件状态；接收行为仍可由存证回执证明。"
    remedy_en = "Ask for the state of the case; the ledger's receipt still proves the intake."


class FilingNotFoundError(NotFoundError):
    """No such filing is visible to this identity; unknown and forbidden look alike."""

    code = "filing-not-found"
    title_zh = "未找到该归档"
    title_en = "No such filing"


class DossierNotFoundError(NotFoundError):
    """No dossier to be seen on this basis; unknown and forbidden look alike, and the attempt is an act.

    The unit of work of the call rolls back with this error; the caller opens another one and calls
    :meth:`record` there.

    Args:
        act: The ``access.refused`` act.
    """

    code = "dossier-not-found"
    title_zh = "未找到可查阅的案卷"
    title_en = "No dossier to be seen on this basis"
    remedy_zh = "请核对档号或案卷标识，并说明查阅依据。"
    remedy_en = "Check the archival number or id, and state the basis of reading."

    def __init__(self, act: Act) -> None:
        super().__init__()
        self.act = act

    def record(self, uow: UnitOfWork) -> Promise:
        """Store the refusal in a unit of work of its own; the caller commits it."""
        return uow.record(self.act)


class NumberTemplateError(InvalidInputError):
    """A text is no archival number of a known template, or no template is known for a fonds."""

    code = "archival-number"
    title_zh = "档号不符合本全宗的编制规则"
    title_en = "Not an archival number of a known template"
    remedy_zh = "请核对档号，或在编号规则中为该全宗增加模板。"
    remedy_en = "Check the number, or add a template for the fonds."


class FilingRefusedError(RefusedError):
    """A step found a filing in a state in which it cannot go on; ``facts`` name the rule."""

    code = "filing-state"
    status = 409
    title_zh = "归档当前状态不允许此操作"
    title_en = "The filing's state does not allow this"
    remedy_zh = "请先查看该归档的状态。"
    remedy_en = "Look at the filing's state first."
