# SPDX-License-Identifier: Apache-2.0
"""What may go wrong when another installation is asked, as data."""

from storage.errors import EXIT_CANNOT_TELL, CunzhengError, InvalidInputError, RefusedError


class ServerUnavailableError(CunzhengError):
    """Another installation does not answer, or not as one of ours does."""

    code = "server-unavailable"
    status = 503
    exit_code = EXIT_CANNOT_TELL
    title_zh = "对方服务器无应答"
    title_en = "The other installation does not answer"
    remedy_zh = "请核对地址与网络，稍后再试。"
    remedy_en = "Check the address and the network, and try again later."


class ProofRefusedElsewhereError(RefusedError):
    """Another installation refused the question; ``facts`` name its code."""

    code = "question-refused-elsewhere"
    title_zh = "对方拒绝了该核验请求"
    title_en = "The other installation refused the question"
    remedy_zh = "请按所列代码核对密钥、权限、办件与用途。"
    remedy_en = "Check key, scopes, case and purpose by the code that it names."


class CallerKeyError(InvalidInputError):
    """The file holds no private key that a client can use."""

    code = "caller-key-unusable"
    title_zh = "密钥文件不可用"
    title_en = "The key file cannot be used"
    remedy_zh = "请提供 P-256 或 Ed25519 私钥（JWK，或未加密的 PKCS #8 PEM）。"
    remedy_en = "Give a private P-256 or Ed25519 key: a JWK, or PEM (PKCS #8) that is not encrypted."
