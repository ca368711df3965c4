# SPDX-License-Identifier: Apache-2.0
"""Errors of the seals' room. ``facts`` carry reason codes and counts, never document content or names."""

from typing import TYPE_CHECKING

from storage.errors import EXIT_INVALID, ConflictError, CunzhengError, RefusedError

if TYPE_CHECKING:
    # The offline verifier loads these errors and must not load a database.
    from storage.database import UnitOfWork
    from storage.ledger.acts import Act, Promise


class DemoInProductionError(RefusedError):
    """A throw-away CA, time-stamp authority or key file was asked to work in production."""

    code = "seals-demo-in-production"
    status = 500
    title_zh = "演示用密钥与证书不得用于生产环境"
    title_en = "Demonstration keys and certificates must not serve production"
    remedy_zh = "请配置 PKCS#11 密钥与正式的时间戳服务，或取消 CUNZHENG_ENVIRONMENT=production。"
    remedy_en = (
        "Configure PKCS#11 keys and a real time-stamp service, or unset CUNZHENG_ENVIRONMENT=production."
    )


class KeyUnavailableError(CunzhengError):
    """A signing key is not there or cannot be used."""

    code = "seals-key-unavailable"
    status = 503
    title_zh = "签名密钥不可用"
    title_en = "The signing key is not available"
    remedy_zh = "请检查密钥库；在密钥恢复之前，办件保持待用章状态。"
    remedy_en = "Check the key store; until the key is back the case waits unsealed."


class TokenRefusedError(CunzhengError):
    """A time-stamp token does not hold; fact ``reason`` is one of the ``token-…`` reason codes."""

    code = "seals-token-refused"
    status = 502
    exit_code = EXIT_INVALID
    title_zh = "时间戳令牌不可信"
    title_en = "The time-stamp token does not hold"
    remedy_zh = "请检查时间戳服务及其证书后重试。"
    remedy_en = "Check the time-stamp service and its certificate, then try again."


class SealRefusedError(RefusedError):
    """The seal that was asked for may not be used or changed (fact ``reason``); no enabled one covers it."""

    code = "seals-refused"
    status = 403
    title_zh = "不予用章"
    title_en = "Sealing refused"
    remedy_zh = "请核对印章状态与使用范围；印章启用或恢复后，等待中的归档与证照自动继续。"
    remedy_en = (
        "Check the seal's status and its scope. Filings and licences that wait go on by themselves as soon as"
        " a seal is enabled or resumed."
    )


class NotSealableError(RefusedError):
    """The document must not be sealed, or the seal cannot be drawn on it; no enabled seal changes that.

    Args:
        reason: Stable reason code.
        act: The ``sealing.refused`` act; the use that was intended is closed as abandoned besides.
    """

    code = "seals-not-sealable"
    status = 422
    title_zh = "文件不符合用章要求"
    title_en = "The document cannot be sealed"
    remedy_zh = "与印章是否启用无关；请运维人员按用章被拒绝记录中的原因更正文件来源或印章名称，再重试该步骤。"
    remedy_en = (
        "No seal changes that. The operator mends what makes the document, or the seal's name, by the reason"
        " code in the record of the refused sealing, then tries the step again."
    )

    def __init__(self, reason: str, act: "Act") -> None:
        super().__init__(reason=reason)
        self.act = act

    def record(self, uow: "UnitOfWork") -> "Promise":
        """Record the refusal in a unit of work of its own; the caller commits it."""
        return uow.record(self.act)


class SealingFailedError(CunzhengError):
    """A freshly sealed document did not pass our own verification (fact ``reason``); it is not kept."""

    code = "seals-sealing-failed"
    status = 500
    title_zh = "用章后自检未通过"
    title_en = "The sealed document failed its own check"
    remedy_zh = "文件未入库；请连同原因代码联系运维人员。"
    remedy_en = "Nothing was stored; give the operator the reason code."


class SealStateError(ConflictError):
    """The seal's state does not allow this change (facts ``state`` and ``change``)."""

    code = "seals-state"
    title_zh = "印章当前状态不允许此操作"
    title_en = "The seal's state does not allow this change"
    remedy_zh = "请先查询印章状态；注销后的印章不能恢复。"
    remedy_en = "Look at the seal's state first; a revoked seal never comes back."


class TrustInputError(CunzhengError):
    """A trust file holds something that is no certificate or revocation list (fact ``reason``)."""

    code = "seals-trust-input"
    status = 422
    exit_code = 64
    title_zh = "信任名录无法读取"
    title_en = "The trust file cannot be read"
    remedy_zh = "请提供 PEM 格式的根证书与吊销列表。"
    remedy_en = "Give root certificates and revocation lists in PEM."
