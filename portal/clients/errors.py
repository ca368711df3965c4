# SPDX-License-Identifier: Apache-2.0
"""Errors of clients' keys, tokens and signatures. ``rule`` names what did not hold, never a value sent.

``oauth`` is the code by which RFC 6749 calls the error at the token endpoint.
"""

import datetime as dt
from typing import ClassVar

from portal.errors import UnauthenticatedError
from storage.errors import ConflictError, InvalidInputError, RefusedError


class ClientKeyRequiredError(RefusedError):
    """The call takes a client with a public key; this one came with the old shared key."""

    code = "client-key-required"
    title_zh = "该调用须由登记了公钥的系统以令牌和签名发起"
    title_en = "This call takes a client with a registered public key, a token and a signature"
    remedy_zh = "请申请登记公钥，再以 private_key_jwt 在 /oauth/token 取得令牌，见 docs/integrating.md。"
    remedy_en = (
        "Have a public key registered, then get a token at /oauth/token by private_key_jwt "
        "(docs/integrating.md)."
    )


class ApiKeyReplacedError(UnauthenticatedError):
    """The client has registered a public key since; its shared key opens nothing any more."""

    code = "api-key-replaced"
    title_zh = "该接口密钥已由公钥取代"
    title_en = "A public key has replaced this shared key"
    remedy_zh = "请以 private_key_jwt 在 /oauth/token 取得令牌。"
    remedy_en = "Get a token at /oauth/token by private_key_jwt."


class ClockSkewError(UnauthenticatedError):
    """What was sent was made outside the window around our time; facts name both."""

    code = "clock-skew"
    title_zh = "时间超出允许的偏差"
    title_en = "The time stated lies outside the allowed window"
    remedy_zh = "请校准系统时钟：允许的偏差秒数见 window，本系统时间见 now。"
    remedy_en = "Set your clock: `window` is the allowed difference in seconds, `now` is our time."
    oauth: ClassVar[str] = "invalid_client"


class SignatureInvalidError(UnauthenticatedError):
    """The call carries no signature, or none that holds for exactly this call; ``rule`` says where."""

    code = "signature-invalid"
    title_zh = "请求签名缺失或无效"
    title_en = "The call's signature is missing or does not hold"
    remedy_zh = "请按 docs/integrating.md 对该次调用签名（RFC 9421），并核对 rule 所指之处。"
    remedy_en = "Sign the call as docs/integrating.md says (RFC 9421); `rule` names what did not hold."


class RequestReplayedError(ConflictError):
    """The nonce of the call, or the id of the assertion, was used before."""

    code = "request-replayed"
    title_zh = "该请求已使用过"
    title_en = "This request was sent before"
    remedy_zh = "每次调用请使用新的 nonce（断言使用新的 jti）并重新签名。"
    remedy_en = "Use a new nonce (a new jti for an assertion) and sign again for each call."
    oauth: ClassVar[str] = "invalid_client"


class PurposeDiffersError(RefusedError):
    """The question states another purpose than the token."""

    code = "purpose-differs"
    title_zh = "用途与令牌不一致"
    title_en = "The purpose differs from the token's"
    remedy_zh = "请以该用途重新取得令牌。"
    remedy_en = "Get a token for this purpose."


class BundleHeldError(ConflictError):
    """The bundle holds a token that may still be good; ``Retry-After`` says when it is over.

    Args:
        left: How long that is.
    """

    code = "bundle-held"
    title_zh = "证据包含有尚未到期的令牌，暂不提供"
    title_en = "The bundle holds a token that is still good"
    remedy_zh = "令牌十分钟内到期，请按 Retry-After 稍后再取。"
    remedy_en = "It is over within ten minutes: ask again after Retry-After."

    def __init__(self, left: dt.timedelta) -> None:
        super().__init__()
        self.retry_after = int(left.total_seconds()) + 1


class ClientNotProvenError(UnauthenticatedError):
    """The assertion proves no client; ``rule`` says why, as far as a stranger may know."""

    code = "client-not-proven"
    title_zh = "客户端断言无效"
    title_en = "The assertion proves no client"
    remedy_zh = "请核对断言的密钥、受众与有效期（RFC 7523），见 docs/integrating.md。"
    remedy_en = "Check the assertion's key, audience and times (RFC 7523); see docs/integrating.md."
    oauth: ClassVar[str] = "invalid_client"


class GrantTypeError(InvalidInputError):
    """The token endpoint knows client credentials alone."""

    code = "grant-type-unsupported"
    status = 400
    title_zh = "仅支持 client_credentials"
    title_en = "Only client_credentials is supported"
    remedy_zh = "请发送 grant_type=client_credentials。"
    remedy_en = "Send grant_type=client_credentials."
    oauth: ClassVar[str] = "unsupported_grant_type"


class TokenRequestError(InvalidInputError):
    """A parameter of the token request is missing, doubled or not allowed to this client."""

    code = "token-request"
    status = 400
    title_zh = "令牌请求的参数不符合要求"
    title_en = "A parameter of the token request does not hold"
    remedy_zh = "请更正 field 所指参数。"
    remedy_en = "Correct the parameter that `field` names."
    oauth: ClassVar[str] = "invalid_request"


class ScopeNotHeldError(InvalidInputError):
    """The client asks for a scope that it does not hold."""

    code = "scope-not-held"
    status = 400
    title_zh = "申请的权限范围超出该系统的权限"
    title_en = "The client does not hold this scope"
    remedy_zh = "请只申请已批准的权限范围，或申请变更权限。"
    remedy_en = "Ask for scopes that were granted, or have others granted."
    oauth: ClassVar[str] = "invalid_scope"


class ClientKeyInvalidError(InvalidInputError):
    """The text is no public key of a kind that is taken, or it holds the private half."""

    code = "client-key-invalid"
    title_zh = "不是可登记的公钥"
    title_en = "This is no public key that can be registered"
    remedy_zh = "请提供 P-256 或 Ed25519 的公钥 JWK；切勿提交私钥。"
    remedy_en = "Give the public JWK of a P-256 or Ed25519 key, never the private one."


class ClientKeyTakenError(ConflictError):
    """The key was registered before, for this client or another one."""

    code = "client-key-taken"
    title_zh = "该公钥已登记过"
    title_en = "This key was registered before"
    remedy_zh = "请生成新的密钥对。"
    remedy_en = "Make a new pair of keys."


class ClientKeysFullError(ConflictError):
    """The client has as many running keys as it may have."""

    code = "client-keys-full"
    title_zh = "该系统的有效公钥已达上限"
    title_en = "The client has as many running keys as it may have"
    remedy_zh = "请先停用一把公钥。"
    remedy_en = "End one of them first."


class ClientKeyUnknownError(ConflictError):
    """The client has no such running key."""

    code = "client-key-unknown"
    status = 404
    title_zh = "没有这把公钥，或已停用"
    title_en = "No such key, or it has ended"
    remedy_zh = "请在账号与权限页面核对公钥编号。"
    remedy_en = "See the key ids on the page of accounts and rights."


class ClientKeyInUseError(ConflictError):
    """A client cannot end the key that signs this very call."""

    code = "client-key-in-use"
    title_zh = "不能停用签署本次调用的公钥"
    title_en = "The key that signs this call cannot end itself"
    remedy_zh = "请用另一把有效公钥签名后再停用。"
    remedy_en = "Sign with another running key, then end this one."
