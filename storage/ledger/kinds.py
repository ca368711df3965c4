# SPDX-License-Identifier: Apache-2.0
"""The closed list of act kinds: what may stand in the ledger, in two languages.

A kind is never renamed or given another meaning: old entries keep theirs for ever.
"""

import enum


class ActKind(enum.StrEnum):
    """What was done."""

    ACCESS_REFUSED = "access.refused"
    ACCOUNT_ADDED = "account.added"
    ACCOUNT_CHANGED = "account.changed"
    ACCOUNT_DOCUMENT_REMOVED = "account.document-removed"
    ACCOUNT_DOCUMENT_SET = "account.document-set"
    ACCOUNT_ENDED = "account.ended"
    ACCOUNT_LINK_MADE = "account.link-made"
    ACCOUNT_LOCKED = "account.locked"
    ACCOUNT_PASSWORD_SET = "account.password-set"  # noqa: S105 - the name of a kind
    ACCOUNT_SESSIONS_ENDED = "account.sessions-ended"
    ACCOUNT_SIGNED_IN = "account.signed-in"
    ACCOUNT_UNLOCKED = "account.unlocked"
    ADDRESS_LOCKED = "address.locked"
    BACKUP_MADE = "backup.made"
    BACKUP_RESTORED = "backup.restored"
    CHANGES_READ = "changes.read"
    CHANGES_RESENT = "changes.resent"
    CHANGES_SENT = "changes.sent"
    CHANGES_UNDELIVERED = "changes.undelivered"
    BULK_APPROVED = "bulk.approved"
    BULK_DONE = "bulk.done"
    BULK_PROPOSED = "bulk.proposed"
    BULK_REFUSED = "bulk.refused"
    BULK_WITHDRAWN = "bulk.withdrawn"
    CLIENT_ADDED = "client.added"
    CLIENT_ENDED = "client.ended"
    CLIENT_KEY_ADDED = "client.key-added"
    CLIENT_KEY_ENDED = "client.key-ended"
    CASE_ANNOUNCED = "case.announced"
    CASE_CLOSED = "case.closed"
    CLOCK_STEPPED = "clock.stepped"
    CODE_MADE = "code.made"
    CODE_REVOKED = "code.revoked"
    CODE_USED = "code.used"
    COPY_ABANDONED = "copy.abandoned"
    COPY_HANDED_OUT = "copy.handed-out"
    COPY_INTENDED = "copy.intended"
    COPY_MADE = "copy.made"
    COPY_ORDERED = "copy.ordered"
    COPY_REFUSED = "copy.refused"
    DOSSIER_FILED = "dossier.filed"
    DOSSIER_HELD = "dossier.held"
    DOSSIER_PAGES_READ = "dossier.pages-read"
    DOSSIER_READ = "dossier.read"
    DOSSIER_RELEASED = "dossier.released"
    EDITION_APPROVED = "edition.approved"
    EDITION_PROPOSED = "edition.proposed"
    EDITION_REFUSED = "edition.refused"
    EDITION_WITHDRAWN = "edition.withdrawn"
    DOSSIER_SUPPLEMENTED = "dossier.supplemented"
    FILING_ACCEPTED = "filing.accepted"
    FILING_CHECKED = "filing.checked"
    FILING_QUARANTINED = "filing.quarantined"
    FILING_RECEIVED = "filing.received"
    FILING_REFUSED = "filing.refused"
    FILING_RETURNED = "filing.returned"
    GRANT_ADDED = "grant.added"
    GRANT_ENDED = "grant.ended"
    HOLDER_LOOKED = "holder.looked"
    HOLDER_SIGNED_IN = "holder.signed-in"
    INDEX_RECONCILED = "index.reconciled"
    LEDGER_CLOSED_REFUSALS = "ledger.closed-refusals"
    LEDGER_OPENED = "ledger.opened"
    LICENSE_ABANDONED = "license.abandoned"
    LICENSE_CANCELLED = "license.cancelled"
    LICENSE_CHECKED = "license.checked"
    LICENSE_ISSUED = "license.issued"
    LICENSE_LAPSED = "license.lapsed"
    LICENSE_PROCESS_CLOSED = "license.process-closed"
    LICENSE_PROCESS_OPENED = "license.process-opened"
    LICENSE_READ = "license.read"
    LICENSE_RESERVED = "license.reserved"
    LICENSE_RESUMED = "license.resumed"
    LICENSE_RETAINED = "license.retained"
    LICENSE_REVOKED = "license.revoked"
    LICENSE_SUPERSEDED = "license.superseded"
    LICENSE_SUSPENDED = "license.suspended"
    LICENSE_WITHDRAWN = "license.withdrawn"
    MATERIAL_CONVERTED = "material.converted"
    OBJECTION_ANSWERED = "objection.answered"
    OBJECTION_CONTACT_FORGOTTEN = "objection.contact-forgotten"
    OBJECTION_OPENED = "objection.opened"
    OBJECTION_READ = "objection.read"
    PATTERN_EXPLAINED = "pattern.explained"
    PROOF_ANSWERED = "proof.answered"
    PROOF_ASKED = "proof.asked"
    PROOF_EVIDENCED = "proof.evidenced"
    PROOF_REFUSED = "proof.refused"
    PROOF_REPLAYED = "proof.replayed"
    RIGHT_APPROVED = "right.approved"
    RIGHT_REFUSED = "right.refused"
    RIGHT_REQUESTED = "right.requested"
    RIGHT_WITHDRAWN = "right.withdrawn"
    RULE_SIMULATED = "rule.simulated"
    RUNG_CHANGED = "rung.changed"
    RUNG_READ = "rung.read"
    RUNG_TAKEN = "rung.taken"
    SEARCH_EXPORTED = "search.exported"
    SEAL_ENABLED = "seal.enabled"
    SEAL_REGISTERED = "seal.registered"
    SEAL_RESUMED = "seal.resumed"
    SEAL_REVOKED = "seal.revoked"
    SEAL_SUSPENDED = "seal.suspended"
    SEALING_ABANDONED = "sealing.abandoned"
    SEALING_INTENDED = "sealing.intended"
    SEALING_REFUSED = "sealing.refused"
    SEALING_SEALED = "sealing.sealed"
    STEP_RETRIED = "step.retried"
    STOCK_CORRECTED = "stock.corrected"
    STOCK_ENDED = "stock.ended"
    STOCK_IMPORTED = "stock.imported"
    STOCK_READ = "stock.read"
    STOCK_REJECTED = "stock.rejected"
    STOCK_RETRIED = "stock.retried"
    STOCK_STARTED = "stock.started"
    STORE_PROBED = "store.probed"
    STORE_SWEPT = "store.swept"
    SUBSCRIPTION_APPROVED = "subscription.approved"
    SUBSCRIPTION_ENDED = "subscription.ended"
    SUBSCRIPTION_REFUSED = "subscription.refused"
    SUBSCRIPTION_REQUESTED = "subscription.requested"
    SUBSCRIPTION_ROTATED = "subscription.rotated"
    VERIFICATION_DONE = "verification.done"


TITLES: dict[ActKind, tuple[str, str]] = {
    ActKind.ACCESS_REFUSED: ("访问被拒绝", "Access refused"),
    ActKind.ACCOUNT_ADDED: ("新增账号", "Account added"),
    ActKind.ACCOUNT_CHANGED: ("账号角色变更", "Roles of an account changed"),
    ActKind.ACCOUNT_DOCUMENT_REMOVED: ("本人证件登记撤销", "Document of an account removed"),
    ActKind.ACCOUNT_DOCUMENT_SET: ("本人证件登记", "Document of an account registered"),
    ActKind.ACCOUNT_ENDED: ("账号停用", "Account ended"),
    ActKind.ACCOUNT_LINK_MADE: ("生成登录链接", "Login link made"),
    ActKind.ACCOUNT_LOCKED: ("账号锁定", "Account locked"),
    ActKind.ACCOUNT_PASSWORD_SET: ("设置密码", "Password set"),
    ActKind.ACCOUNT_SESSIONS_ENDED: ("结束其他会话", "Other sessions ended"),
    ActKind.ACCOUNT_SIGNED_IN: ("账号登录", "Account signed in"),
    ActKind.ACCOUNT_UNLOCKED: ("解除账号锁定", "Account unlocked"),
    ActKind.ADDRESS_LOCKED: ("登录来源锁定", "Address locked"),
    ActKind.BACKUP_MADE: ("备份完成", "Backup made"),
    ActKind.BACKUP_RESTORED: ("备份恢复", "Backup restored"),
    ActKind.CHANGES_READ: ("读取变更通知", "Changes read"),
    ActKind.CHANGES_RESENT: ("重发死信", "Dead letters sent again"),
    ActKind.CHANGES_SENT: ("推送变更通知", "Changes sent"),
    ActKind.CHANGES_UNDELIVERED: ("变更通知转为死信", "Changes not delivered"),
    ActKind.BULK_APPROVED: ("证照批量变更批准", "Change of many licences approved"),
    ActKind.BULK_DONE: ("证照批量变更完成", "Change of many licences done"),
    ActKind.BULK_PROPOSED: ("证照批量变更提出", "Change of many licences proposed"),
    ActKind.BULK_REFUSED: ("证照批量变更驳回", "Change of many licences refused"),
    ActKind.BULK_WITHDRAWN: ("证照批量变更撤回", "Change of many licences withdrawn"),
    ActKind.CLIENT_ADDED: ("新增调用方", "Client added"),
    ActKind.CLIENT_ENDED: ("调用方停用", "Client ended"),
    ActKind.CLIENT_KEY_ADDED: ("登记调用方公钥", "Client key registered"),
    ActKind.CLIENT_KEY_ENDED: ("停用调用方公钥", "Client key ended"),
    ActKind.CASE_ANNOUNCED: ("办件登记", "Case announced"),
    ActKind.CASE_CLOSED: ("办件办结", "Case closed"),
    ActKind.CLOCK_STEPPED: ("时钟跳变", "Clock stepped"),
    ActKind.CODE_MADE: ("生成用证码", "Authorisation code made"),
    ActKind.CODE_REVOKED: ("撤销用证码", "Authorisation code revoked"),
    ActKind.CODE_USED: ("使用用证码", "Authorisation code used"),
    ActKind.COPY_ABANDONED: ("加注件制作中断", "Making of a copy abandoned"),
    ActKind.COPY_HANDED_OUT: ("加注件取用", "Copy handed out"),
    ActKind.COPY_INTENDED: ("计划制作加注件", "Copy intended"),
    ActKind.COPY_MADE: ("加注件制作完成", "Copy made"),
    ActKind.COPY_ORDERED: ("申请制作加注件", "Copy ordered"),
    ActKind.COPY_REFUSED: ("加注件不予制作", "Copy refused"),
    ActKind.DOSSIER_FILED: ("案卷归档", "Dossier filed"),
    ActKind.DOSSIER_HELD: ("案卷保全", "Legal hold placed"),
    ActKind.DOSSIER_PAGES_READ: ("查阅案卷页面", "Pages of a dossier read"),
    ActKind.DOSSIER_READ: ("案卷查阅", "Dossier read"),
    ActKind.DOSSIER_RELEASED: ("解除案卷保全", "Legal hold lifted"),
    ActKind.EDITION_APPROVED: ("目录版本批准", "Edition approved"),
    ActKind.EDITION_PROPOSED: ("目录版本提交", "Edition proposed"),
    ActKind.EDITION_REFUSED: ("目录版本驳回", "Edition refused"),
    ActKind.EDITION_WITHDRAWN: ("目录版本撤回", "Edition withdrawn"),
    ActKind.DOSSIER_SUPPLEMENTED: ("案卷补充归档", "Dossier supplemented"),
    ActKind.FILING_ACCEPTED: ("办结核验通过", "Closure accepted"),
    ActKind.FILING_CHECKED: ("归档检测通过", "Filing checked"),
    ActKind.FILING_QUARANTINED: ("归档隔离", "Filing quarantined"),
    ActKind.FILING_RECEIVED: ("归档接收", "Filing received"),
    ActKind.FILING_REFUSED: ("归档拒收", "Filing refused"),
    ActKind.FILING_RETURNED: ("归档退回", "Filing returned"),
    ActKind.GRANT_ADDED: ("用证授权生效", "Grant added"),
    ActKind.GRANT_ENDED: ("用证授权终止", "Grant ended"),
    ActKind.HOLDER_LOOKED: ("本人查看证照与用证记录", "Holder looked at own records"),
    ActKind.HOLDER_SIGNED_IN: ("持证主体登录", "Holder signed in"),
    ActKind.INDEX_RECONCILED: ("检索索引核对", "Index reconciled"),
    ActKind.LEDGER_CLOSED_REFUSALS: ("停摆期间拒绝计数", "Refusals counted while closed"),
    ActKind.LEDGER_OPENED: ("审计链开启", "Ledger opened"),
    ActKind.LICENSE_ABANDONED: ("证照停止制作", "Licence given up"),
    ActKind.LICENSE_CANCELLED: ("证照注销", "Licence cancelled"),
    ActKind.LICENSE_CHECKED: ("证照年检通过", "Licence passed its annual check"),
    ActKind.LICENSE_ISSUED: ("证照签发", "Licence issued"),
    ActKind.LICENSE_LAPSED: ("证照年检作废", "Licence void after its annual check"),
    ActKind.LICENSE_PROCESS_CLOSED: ("证照办理结束", "Process on a licence closed"),
    ActKind.LICENSE_PROCESS_OPENED: ("证照办理开始", "Process on a licence opened"),
    ActKind.LICENSE_READ: ("证照查阅", "Licence read"),
    ActKind.LICENSE_RESERVED: ("证照赋码", "Licence identifier reserved"),
    ActKind.LICENSE_RETAINED: ("证照保留原版", "Licence keeps its place"),
    ActKind.LICENSE_RESUMED: ("证照恢复", "Licence resumed"),
    ActKind.LICENSE_REVOKED: ("证照吊销", "Licence revoked"),
    ActKind.LICENSE_SUPERSEDED: ("证照被新版替代", "Licence replaced by a later version"),
    ActKind.LICENSE_SUSPENDED: ("证照暂停", "Licence suspended"),
    ActKind.LICENSE_WITHDRAWN: ("证照撤销", "Licence withdrawn"),
    ActKind.MATERIAL_CONVERTED: ("材料转换", "Material converted"),
    ActKind.OBJECTION_ANSWERED: ("异议答复", "Objection answered"),
    ActKind.OBJECTION_CONTACT_FORGOTTEN: ("争议人联系方式到期清除", "Contact of a stranger forgotten"),
    ActKind.OBJECTION_OPENED: ("提出异议", "Objection opened"),
    ActKind.OBJECTION_READ: ("查看异议", "Objection read"),
    ActKind.PATTERN_EXPLAINED: ("异常查询说明", "Unusual query explained"),
    ActKind.PROOF_ANSWERED: ("核验结论出具", "Proof answered"),
    ActKind.PROOF_ASKED: ("免证查询", "Proof asked"),
    ActKind.PROOF_EVIDENCED: ("取出核验证据包", "Evidence bundle given out"),
    ActKind.PROOF_REFUSED: ("免证查询被拒绝", "Proof question refused"),
    ActKind.PROOF_REPLAYED: ("核验结论复算", "Decision replayed"),
    ActKind.RIGHT_APPROVED: ("权限变更批准", "Change of rights approved"),
    ActKind.RIGHT_REFUSED: ("权限变更驳回", "Change of rights refused"),
    ActKind.RIGHT_REQUESTED: ("权限变更申请", "Change of rights requested"),
    ActKind.RIGHT_WITHDRAWN: ("权限变更撤回", "Change of rights withdrawn"),
    ActKind.RULE_SIMULATED: ("免证规则仿真", "Rule simulated"),
    ActKind.RUNG_CHANGED: ("承诺、协查或补交有变化", "Rung of the ladder changed"),
    ActKind.RUNG_READ: ("查看承诺、协查或补交", "Rung of the ladder read"),
    ActKind.RUNG_TAKEN: (
        "启动承诺、协查或补交",
        "Rung of the ladder taken",
    ),
    ActKind.SEARCH_EXPORTED: ("检索清单导出", "Search list exported"),
    ActKind.SEAL_ENABLED: ("印章启用", "Seal enabled"),
    ActKind.SEAL_REGISTERED: ("印章备案", "Seal registered"),
    ActKind.SEAL_RESUMED: ("印章恢复", "Seal resumed"),
    ActKind.SEAL_REVOKED: ("印章注销", "Seal revoked"),
    ActKind.SEAL_SUSPENDED: ("印章停用", "Seal suspended"),
    ActKind.SEALING_ABANDONED: ("用章放弃", "Sealing abandoned"),
    ActKind.SEALING_INTENDED: ("计划用章", "Sealing intended"),
    ActKind.SEALING_REFUSED: ("用章被拒绝", "Sealing refused"),
    ActKind.SEALING_SEALED: ("用章完成", "Sealed"),
    ActKind.STEP_RETRIED: ("步骤重试", "Step tried again"),
    ActKind.STOCK_CORRECTED: ("存量记录更正", "Stock record corrected"),
    ActKind.STOCK_ENDED: ("存量导入结束", "Import of stock ended"),
    ActKind.STOCK_IMPORTED: ("存量证照导入", "Stock imported"),
    ActKind.STOCK_READ: ("查看隔离的存量记录", "Quarantined stock record read"),
    ActKind.STOCK_REJECTED: ("存量记录不予导入", "Stock record rejected"),
    ActKind.STOCK_RETRIED: ("存量记录重新校验", "Stock records tried again"),
    ActKind.STOCK_STARTED: ("存量导入开始", "Import of stock started"),
    ActKind.STORE_PROBED: ("存储锁定探测", "Store lock probed"),
    ActKind.STORE_SWEPT: ("清理存储残留", "Store swept"),
    ActKind.SUBSCRIPTION_APPROVED: ("订阅批准", "Subscription approved"),
    ActKind.SUBSCRIPTION_ENDED: ("订阅终止", "Subscription ended"),
    ActKind.SUBSCRIPTION_REFUSED: ("订阅驳回", "Subscription refused"),
    ActKind.SUBSCRIPTION_REQUESTED: ("订阅申请", "Subscription requested"),
    ActKind.SUBSCRIPTION_ROTATED: ("订阅密钥更换", "Secret of a subscription rotated"),
    ActKind.VERIFICATION_DONE: ("查验", "Verification done"),
}

NEVER_REFUSED: frozenset[ActKind] = frozenset(
    {
        ActKind.ACCOUNT_LOCKED,
        ActKind.ADDRESS_LOCKED,
        ActKind.BACKUP_MADE,
        ActKind.BACKUP_RESTORED,
        ActKind.CLOCK_STEPPED,
        ActKind.DOSSIER_HELD,
        ActKind.LEDGER_CLOSED_REFUSALS,
        ActKind.LEDGER_OPENED,
        ActKind.LICENSE_CANCELLED,
        ActKind.LICENSE_LAPSED,
        ActKind.LICENSE_REVOKED,
        ActKind.LICENSE_SUSPENDED,
        ActKind.LICENSE_WITHDRAWN,
        ActKind.SEAL_REVOKED,
        ActKind.SEAL_SUSPENDED,
        ActKind.CODE_REVOKED,
        ActKind.COPY_ABANDONED,
        ActKind.SEALING_ABANDONED,
        ActKind.STEP_RETRIED,
        ActKind.SUBSCRIPTION_ENDED,
    }
)
"""Kinds admitted even while the ledger is closed (docs/architecture.md, fail closed)."""

_LEDGER_ONLY = "changes nothing but the ledger, which is rebuilt as a whole"

NOT_REBUILT: dict[ActKind, str] = {
    ActKind.ACCESS_REFUSED: _LEDGER_ONLY,
    ActKind.ACCOUNT_LINK_MADE: "changes no holding: links end with the installation",
    ActKind.ACCOUNT_LOCKED: "changes no holding: locks end by themselves",
    ActKind.ACCOUNT_PASSWORD_SET: "changes no holding: passwords end with the installation",
    ActKind.ACCOUNT_SESSIONS_ENDED: "changes no holding: sessions end with the installation",
    ActKind.ACCOUNT_SIGNED_IN: "changes no holding: sessions end with the installation",
    ActKind.ACCOUNT_UNLOCKED: "changes no holding: locks end by themselves",
    ActKind.ADDRESS_LOCKED: "changes no holding: locks end by themselves",
    ActKind.BACKUP_MADE: "changes no holding: the backup lies outside the installation",
    ActKind.BACKUP_RESTORED: "changes no holding: what it brought back has acts of its own",
    ActKind.CHANGES_READ: "changes no holding: whoever fetched changes took a copy away",
    ActKind.CHANGES_RESENT: "changes no holding: telling starts again where the subscription began",
    ActKind.CHANGES_SENT: "changes no holding: telling starts again where the subscription began",
    ActKind.CHANGES_UNDELIVERED: "changes no holding: telling starts again where the subscription began",
    ActKind.CLOCK_STEPPED: _LEDGER_ONLY,
    ActKind.HOLDER_LOOKED: "changes no holding: a holder's look at own records is no use of a licence",
    ActKind.HOLDER_SIGNED_IN: "changes no holding: sessions end with the installation",
    ActKind.INDEX_RECONCILED: "changes no holding: the index is a copy",
    ActKind.DOSSIER_PAGES_READ: "changes no holding: supervision reads it from the ledger",
    ActKind.DOSSIER_READ: "changes no holding: supervision reads it from the ledger",
    ActKind.FILING_REFUSED: "changes no holding: nothing was taken into custody",
    ActKind.LEDGER_CLOSED_REFUSALS: _LEDGER_ONLY,
    ActKind.LEDGER_OPENED: _LEDGER_ONLY,
    ActKind.OBJECTION_READ: "changes no holding: supervision reads it from the ledger",
    ActKind.PROOF_ASKED: "changes no holding: the answer's act holds the decision",
    ActKind.PROOF_EVIDENCED: "changes no holding; a use by supervision is a row and replayed anyway",
    ActKind.PROOF_REPLAYED: "changes no holding: a decision was evaluated again",
    ActKind.RULE_SIMULATED: "changes no holding: closed cases were evaluated by a draft",
    ActKind.RUNG_READ: "changes no holding: supervision reads it from the ledger",
    ActKind.SEARCH_EXPORTED: "changes no holding: whoever exported a list took a copy away",
    ActKind.STEP_RETRIED: "changes no holding: what the step then does has acts of its own",
    ActKind.STOCK_READ: "changes no holding: supervision reads it from the ledger",
    ActKind.STORE_PROBED: "changes no holding: the bucket itself tells how it is locked",
    ActKind.STORE_SWEPT: "changes no holding: what is removed no record names",
    ActKind.VERIFICATION_DONE: "changes no holding; the use of a licence is a row and replayed anyway",
}
"""Kinds whose details may hold no rows, each with the reason; rows that there are are replayed anyway."""
