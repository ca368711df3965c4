# SPDX-License-Identifier: Apache-2.0
"""What can go wrong when a holder signs in. No error tells which check failed, or anything of the person."""

from storage.database import UnitOfWork
from storage.errors import CunzhengError, NotFoundError, RefusedError
from storage.ledger.acts import Act, Promise


class SignInNotOfferedError(NotFoundError):
    """No identity provider is configured, so no holder can sign in."""

    code = "sign-in-not-offered"
    title_zh = "本系统未开通本人登录"
    title_en = "Signing in as a holder is not offered here"
    remedy_zh = "请到办事窗口查询；运维人员可配置统一身份认证（CUNZHENG_OIDC_ISSUER）。"
    remedy_en = "Ask at the service window; the operator can set an identity provider (CUNZHENG_OIDC_ISSUER)."


class SignInNotAcceptedError(RefusedError):
    """What came back from the identity provider does not hold; which check failed is not told."""

    code = "sign-in-not-accepted"
    status = 403
    title_zh = "登录未被接受"
    title_en = "The sign-in was not accepted"
    remedy_zh = "请返回“我的证照”重新登录；登录须在十分钟内于同一浏览器完成。"
    remedy_en = "Sign in again from “My licences”, within ten minutes and in one browser."


class IdentityIncompleteError(SignInNotAcceptedError):
    """The identity provider vouches for somebody, but names no code that we could look up."""

    code = "identity-incomplete"
    title_zh = "身份认证平台未提供有效的证件号码"
    title_en = "The identity provider told no valid code"
    remedy_zh = "请先在身份认证平台完成实名认证，再登录。"
    remedy_en = "Complete the proof of your identity at the provider, then sign in again."


class HolderNameDiffersError(SignInNotAcceptedError):
    """Our records hold the code under another name: one of the two is mistaken, so nothing is shown.

    Args:
        act: The refusal; it names whose records these are, the answer does not.
    """

    code = "holder-name-differs"
    title_zh = "证件号码与本库登记的名称不一致"
    title_en = "The records hold this code under another name"
    remedy_zh = "请携带证件到办事窗口核对；核对前不显示任何信息。"
    remedy_en = "Bring your document to the service window; nothing is shown until the records are right."

    def __init__(self, act: Act) -> None:
        super().__init__()
        self._act = act

    def record(self, uow: UnitOfWork) -> Promise:
        """Record the refusal."""
        return uow.record(self._act)


class ProviderUnavailableError(CunzhengError):
    """The identity provider does not answer, or not as OpenID Connect says."""

    code = "identity-provider-unavailable"
    status = 503
    title_zh = "身份认证平台无应答"
    title_en = "The identity provider does not answer"
    remedy_zh = "请稍后再试；如持续出现，请联系运维人员。"
    remedy_en = "Try again later; tell the operator if it stays so."


class DemoProviderError(CunzhengError):
    """A demonstration's identity provider vouches for nobody outside a demonstration."""

    code = "demo-identity-provider"
    status = 503
    title_zh = "演示身份认证平台不得用于生产环境"
    title_en = "A demonstration's identity provider must not serve production"
    remedy_zh = "请将 CUNZHENG_OIDC_ISSUER 设为正式的统一身份认证平台。"
    remedy_en = "Set CUNZHENG_OIDC_ISSUER to a real identity provider."
