# SPDX-License-Identifier: Apache-2.0
"""Errors of signing in, of passwords and of changes of rights."""

from portal.errors import RateLimitedError, UnauthenticatedError
from storage.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError


class SignInFailedError(UnauthenticatedError):
    """Login name and password do not fit each other; whether the name exists is not told."""

    code = "sign-in-failed"
    title_zh = "登录名或密码不正确"
    title_en = "The login name or the password is wrong"
    remedy_zh = "请核对后重试；忘记密码请向管理员申请一次性登录链接，登录后重设。"
    remedy_en = (
        "Check both and try again; if you forgot it, ask an administrator for a login link and set another."
    )


class SignInLockedError(RateLimitedError):
    """Too many attempts failed under this login name or from this address; the name need not exist."""

    code = "sign-in-locked"
    title_zh = "登录失败次数过多，已暂时锁定"
    title_en = "Too many attempts failed; signing in is locked for a while"
    remedy_zh = "请在所示时间之后重试，或由安全管理员解除锁定；一次性登录链接仍可使用。"
    remedy_en = "Try again after the time shown, or ask the security administrator; login links still work."


class SignInsLimitedError(RateLimitedError):
    """Too many attempts to sign in came from one address within a minute."""

    code = "sign-ins-limited"
    title_zh = "登录尝试过于频繁"
    title_en = "Too many attempts to sign in"
    remedy_zh = "请一分钟后再试。"
    remedy_en = "Try again in a minute."


class PasswordRuleError(InvalidInputError):
    """The new password breaks rules; fact ``rules`` names them, the password is not told."""

    code = "password-rule"
    title_zh = "新密码不符合要求"
    title_en = "The new password breaks a rule"
    remedy_zh = "请按页面所列要求另设密码。"
    remedy_en = "Choose another one as the rules on the page say."


class LoginNameTakenError(ConflictError):
    """Another account has this login name."""

    code = "login-name-taken"
    title_zh = "登录名已被使用"
    title_en = "Another account has this login name"
    remedy_zh = "请换一个登录名。"
    remedy_en = "Choose another one."


class AccountUnknownError(NotFoundError):
    """No running account has this id."""

    code = "account-unknown"
    title_zh = "没有这个账号，或已停用"
    title_en = "No such account, or it has ended"
    remedy_zh = "请在账号列表中核对账号编号。"
    remedy_en = "See the ids in the list of accounts."


class SecondPersonError(RefusedError):
    """Somebody tried to decide alone, or about themselves, what takes a second person."""

    code = "second-person"
    status = 403
    title_zh = "须由第二人办理"
    title_en = "It takes a second person"
    remedy_zh = "申请人和变更所涉及的人不能审批，请由另一位管理员办理。"
    remedy_en = "Who asked and whom it concerns cannot decide: another administrator does."


class ClientUnknownError(NotFoundError):
    """No running client has this id."""

    code = "client-unknown"
    title_zh = "没有这个调用方，或已停用"
    title_en = "No such calling system, or it has ended"
    remedy_zh = "请在账号与权限页面核对调用方编号。"
    remedy_en = "See the ids on the page of accounts and rights."


class ChangeUnknownError(NotFoundError):
    """No change of rights has this id, or the caller may not touch it."""

    code = "change-unknown"
    title_zh = "没有这项权限变更申请"
    title_en = "No such change of rights"
    remedy_zh = "请在账号与权限页面核对申请编号。"
    remedy_en = "See the ids on the page of accounts and rights."


class ChangeClosedError(ConflictError):
    """The change was decided already, or the time for it is over."""

    code = "change-closed"
    title_zh = "该权限变更已办结或已过期"
    title_en = "The change of rights was decided, or its time is over"
    remedy_zh = "仍需变更的，请由系统管理员重新申请。"
    remedy_en = "If it is still wanted, a system administrator asks again."


class LastAdministratorError(ConflictError):
    """An administrator's role would be left to nobody; ``role`` names it."""

    code = "last-administrator"
    title_zh = "不能撤销最后一名管理员"
    title_en = "The last administrator of a kind must stay"
    remedy_zh = "请先为另一账号申请并批准该管理员角色。"
    remedy_en = "First have the role granted to another account."


class AccountDocumentMissingError(ConflictError):
    """No identity document of this account is registered, or it was removed meanwhile."""

    code = "account-document-missing"
    title_zh = "该账号没有登记本人证件"
    title_en = "No identity document of this account is registered"
    remedy_zh = "请在账号列表中核对；无需再撤销登记。"
    remedy_en = "See the list of accounts; there is nothing to remove."
