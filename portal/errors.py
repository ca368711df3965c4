# SPDX-License-Identifier: Apache-2.0
"""Errors of the portal: who calls, how a call is formed, and how the product is started."""

from storage.errors import (
    EXIT_CANNOT_TELL,
    EXIT_REFUSED,
    EXIT_USAGE,
    ConflictError,
    CunzhengError,
    InvalidInputError,
    NotFoundError,
    RefusedError,
)


class UnauthenticatedError(RefusedError):
    """Nobody is signed in, or the key is unknown, ended or wrong; which of these is not told."""

    code = "unauthenticated"
    status = 401
    title_zh = "需要登录或有效的接口密钥"
    title_en = "Sign in, or send a valid key"
    remedy_zh = "请用登录链接登录；系统对接请检查 Authorization 头与密钥有效期。"
    remedy_en = "Use your login link; systems: check the Authorization header and the key's expiry."


class FormExpiredError(RefusedError):
    """A form came without the token of the page it was shown on."""

    code = "form-expired"
    status = 403
    title_zh = "页面已过期"
    title_en = "The page has expired"
    remedy_zh = "请返回上一页，刷新后重新提交。"
    remedy_en = "Go back, reload the page and send it again."


class RateLimitedError(RefusedError):
    """Too many public checks came from one address within a minute."""

    code = "rate-limited"
    status = 429
    title_zh = "核验过于频繁"
    title_en = "Too many checks"
    remedy_zh = "请一分钟后再试；批量核验请在自己的机器上用 cunzheng verify --trust。"
    remedy_en = "Try again in a minute; check many files on your own machine: cunzheng verify --trust."


class SearchListTooLongError(InvalidInputError):
    """More was found than one list may hold; nothing was given out."""

    code = "search-list-too-long"
    title_zh = "检索结果超过一份清单的行数上限"
    title_en = "More was found than one list may hold"
    remedy_zh = "请增加检索词或按部门、事项、年度、状态缩小范围后再导出。"
    remedy_en = "Add words or narrow by department, item, year or state, then export again."


class PhotoWithoutCodeError(InvalidInputError):
    """A photo shows no verification code, or several; fact ``codes`` counts them."""

    code = "photo-without-code"
    title_zh = "照片中没有读到唯一的核验码"
    title_en = "The photo does not show exactly one verification code"
    remedy_zh = "请靠近、拍平、拍清楚一个证照二维码后重试，或输入二维码旁的 26 位核验码。"
    remedy_en = (
        "Photograph one QR code of a licence, close, flat and sharp, or type the 26 characters beside it."
    )


class TrustNeededError(InvalidInputError):
    """A file is to be verified where there is no installation, and nothing was named to trust."""

    code = "trust-needed"
    title_zh = "本机没有存证系统，需指明信任什么"
    title_en = "No installation here: name what you trust"
    remedy_zh = (
        "请加 --trust：文件用签发系统 /api/v1/trust/ca.pem 的证书，答复用其 /.well-known/jwks.json 的公钥集；"
        "请经另一途径核对一次后保存。"
    )
    remedy_en = (
        "Add --trust: for a PDF the certificates at /api/v1/trust/ca.pem of the installation that issued it, "
        "for an answer the keys at its /.well-known/jwks.json; compare them once another way and keep them."
    )


class LoginLinkSpentError(RefusedError):
    """The login link is unknown, used or out of date; which of these is not told."""

    code = "login-link-spent"
    status = 410
    title_zh = "登录链接无效或已使用"
    title_en = "The login link is unknown, used or out of date"
    remedy_zh = "请让管理员用 cunzheng login-link 重新生成。"
    remedy_en = "Ask for a new one: cunzheng login-link ROLE."


class RolesExcludeError(RefusedError):
    """The roles exclude each other (rule 11 of docs/architecture.md)."""

    code = "roles-exclude"
    status = 409
    title_zh = "角色互斥"
    title_en = "The roles exclude each other"
    remedy_zh = "请将系统管理、安全管理、审计以及印章的管理、使用、审计分配给不同账户。"
    remedy_en = (
        "Give administration, security, audit, and management, use and audit of seals to different accounts."
    )


class TooLargeError(CunzhengError):
    """The request is larger than the installation accepts; ``facts`` name the limit in bytes."""

    code = "too-large"
    status = 413
    exit_code = EXIT_REFUSED
    title_zh = "文件过大"
    title_en = "The file is too large"
    remedy_zh = "请拆分后再提交，或联系运维人员调整上限。"
    remedy_en = "Split it, or ask the operator for a higher limit."


class UnsupportedMediaError(CunzhengError):
    """The body's media type is not the one that the operation takes."""

    code = "unsupported-media"
    status = 415
    exit_code = EXIT_USAGE
    title_zh = "不支持的内容类型"
    title_en = "Unsupported media type"
    remedy_zh = "请按接口说明设置 Content-Type。"
    remedy_en = "Set Content-Type as the interface describes."


class MethodNotAllowedError(CunzhengError):
    """The resource exists but does not take this method."""

    code = "method-not-allowed"
    status = 405
    exit_code = EXIT_USAGE
    title_zh = "不支持的请求方法"
    title_en = "Method not allowed"
    remedy_zh = "请按接口说明选择请求方法。"
    remedy_en = "Use a method that the interface describes."


class MalformedRequestError(InvalidInputError):
    """The request could not be read at all."""

    code = "malformed-request"
    status = 400
    title_zh = "无法读取请求"
    title_en = "The request cannot be read"
    remedy_zh = "请检查请求的编码与格式。"
    remedy_en = "Check the encoding and the form of the request."


class BrokerUnavailableError(CunzhengError):
    """The broker does not answer: workers find steps by looking, a little later."""

    code = "broker-unavailable"
    status = 503
    title_zh = "消息服务无应答"
    title_en = "The broker does not answer"
    remedy_zh = "归档与核验不受影响，处理稍慢；请运维检查消息服务。"
    remedy_en = "Nothing is lost, steps begin a little later; the operator checks the broker."


class NotInitialisedError(CunzhengError):
    """The data folder holds no installation yet."""

    code = "not-initialised"
    status = 503
    exit_code = EXIT_REFUSED
    title_zh = "数据目录尚未初始化"
    title_en = "The data folder is not initialised"
    remedy_zh = "请用 --data 指明已有的数据目录，或运行 cunzheng init 新建，或用 make demo 启动演示。"
    remedy_en = (
        "Name the folder of an installation with --data, or run cunzheng init to set one up, or start the"
        " demonstration with make demo."
    )


class KeysMissingError(RefusedError):
    """A key of the installation is not in the data folder; nothing makes another in its place."""

    code = "keys-missing"
    status = 409
    title_zh = "数据目录中缺少密钥"
    title_en = "Keys are missing from the data folder"
    remedy_zh = (
        "数据库属于已有的系统：请挂载各机器共用的 keys 与 pki 目录；恢复备份前请先放回单独保管的这两个目录。"
    )
    remedy_en = (
        "The records belong to an installation: mount the folders keys and pki that its machines share; "
        "before a restore put back the copies that are kept apart."
    )


class KeysForeignError(RefusedError):
    """The keys in the data folder are others than those of the records; ``keys`` names which."""

    code = "keys-foreign"
    status = 409
    title_zh = "密钥与数据库不属于同一系统"
    title_en = "The keys are not those of the records"
    remedy_zh = "请核对数据库地址；各机器必须共用同一 keys 与 pki 目录，切勿复制后各自使用。"
    remedy_en = "Check the database's address; all machines share one folder keys and one pki, not copies."


class MigrationNeededError(CunzhengError):
    """The database's schema is not the one that this version needs."""

    code = "migration-needed"
    status = 503
    exit_code = EXIT_REFUSED
    title_zh = "数据库版本与程序不一致"
    title_en = "The database has another version than the program"
    remedy_zh = "请停止所有进程后运行 cunzheng init 升级。"
    remedy_en = "Stop all processes and run cunzheng init to upgrade."


class OfflineFolderError(InvalidInputError):
    """A folder for checks without a network lacks a file, or one of its files does not verify."""

    code = "offline-folder"
    exit_code = EXIT_CANNOT_TELL
    title_zh = "离线核验文件夹不完整或签名不成立"
    title_en = "The folder for offline checks is incomplete or does not verify"
    remedy_zh = "请联网后用 cunzheng directory save 重新保存；若签名仍不成立，请向发布机构核实公钥。"
    remedy_en = (
        "Save it again with `cunzheng directory save`; if it still fails, ask whoever publishes for the keys."
    )


class DirectoryUnreachableError(CunzhengError):
    """The address does not give a directory."""

    code = "directory-unreachable"
    status = 502
    exit_code = EXIT_CANNOT_TELL
    title_zh = "无法取得证照目录"
    title_en = "The directory cannot be fetched"
    remedy_zh = "请核对地址与网络；地址须以 https:// 开头。"
    remedy_en = "Check the address and the network; the address begins with https://."


class TimeAheadError(InvalidInputError):
    """What was asked for is a state at an instant that is still to come."""

    code = "time-ahead"
    title_zh = "所询时间尚未到来"
    title_en = "The instant asked about is still to come"
    remedy_zh = "请填写当前或更早的时间。"
    remedy_en = "Ask about now or an earlier instant."


class AlreadyRunningError(CunzhengError):
    """Another process of the same kind works on this data folder; ``facts`` name the kind."""

    code = "already-running"
    status = 409
    exit_code = EXIT_REFUSED
    title_zh = "同类进程已在运行"
    title_en = "A process of this kind is already running"
    remedy_zh = "请先停止正在运行的进程，或换一个数据目录。"
    remedy_en = "Stop the running one, or use another data folder."


class DemoOutdatedError(CunzhengError):
    """The data folder holds the demonstration of another release, whose script this one cannot go on with."""

    code = "demo-outdated"
    status = 409
    exit_code = EXIT_REFUSED
    title_zh = "数据目录中是其他版本的演示"
    title_en = "The data folder holds the demonstration of another release"
    remedy_zh = "请用 cunzheng demo --reset 重新开始，原演示数据将被删除。"
    remedy_en = "Begin anew with cunzheng demo --reset, which removes what was played."


class PortBusyError(CunzhengError):
    """Something already listens on the port; ``facts`` name it."""

    code = "port-busy"
    status = 503
    exit_code = EXIT_REFUSED
    title_zh = "端口已被占用"
    title_en = "The port is in use"
    remedy_zh = "请用 --port 指定另一个端口。"
    remedy_en = "Name another one with --port."


class SettingsInvalidError(CunzhengError):
    """Settings are malformed or unsafe for the environment; ``facts`` name them."""

    code = "settings-invalid"
    status = 500
    exit_code = EXIT_USAGE
    title_zh = "配置不符合要求"
    title_en = "The settings do not hold"
    remedy_zh = "请按 docs/reference.md 更正所列的 CUNZHENG_ 环境变量。"
    remedy_en = "Correct the named CUNZHENG_ variables as docs/reference.md describes."


class CommandLineError(CunzhengError):
    """The command line cannot be read; the library that reads it says what is wrong with it."""

    code = "command-line"
    status = 400
    exit_code = EXIT_USAGE
    title_zh = "命令用法有误"
    title_en = "The command line cannot be read"
    remedy_zh = "请按用法更正；加 --help 查看该命令的参数与选项。"
    remedy_en = "Correct it as the usage says; add --help to see the command's arguments and options."


class StepUnknownError(NotFoundError):
    """No step has this id."""

    code = "step-unknown"
    title_zh = "没有这个步骤"
    title_en = "No such step"
    remedy_zh = "请用 cunzheng step list 查看步骤编号。"
    remedy_en = "See the ids with cunzheng step list."


class StepNotStuckError(ConflictError):
    """Only a stuck step can be tried again by hand; fact ``state`` says how this one stands."""

    code = "step-not-stuck"
    title_zh = "步骤未停滞，无需重试"
    title_en = "The step is not stuck"
    remedy_zh = "就绪、运行中和等待中的步骤会自动继续；等待用章的步骤在印章启用或恢复后立即继续。"
    remedy_en = (
        "Ready, running and waiting steps go on by themselves; one that waits for a seal does so as soon as"
        " a seal is enabled or resumed."
    )


class SweepImpossibleError(ConflictError):
    """Objects lie in a folder: its leftovers are listed, and nothing there is removed by the product."""

    code = "sweep-impossible"
    title_zh = "存储为本地目录，系统不删除其中任何对象"
    title_en = "Objects lie in a folder, where the product removes nothing"
    remedy_zh = "可用 cunzheng objects leftovers 查看无记录指向的对象；本地目录存储不清理。"
    remedy_en = "List with cunzheng objects leftovers what no record names; a folder is not swept."


class DestroyerKeyPresentError(CunzhengError):
    """A lasting process was given the key that removes objects, which belongs to one command alone."""

    code = "destroyer-key-present"
    exit_code = EXIT_USAGE
    title_zh = "常驻进程不得持有清理密钥"
    title_en = "A lasting process must not hold the destroyer's key"
    remedy_zh = (
        "请从该进程的环境中移除 CUNZHENG_S3_DESTROYER_ACCESS_KEY 与 CUNZHENG_S3_DESTROYER_SECRET_KEY；"
        "仅在执行 objects sweep 时临时提供。"
    )
    remedy_en = (
        "Take CUNZHENG_S3_DESTROYER_ACCESS_KEY and CUNZHENG_S3_DESTROYER_SECRET_KEY out of its environment;"
        " give them to `objects sweep` alone, for as long as it runs."
    )


class AccountAmbiguousError(CunzhengError):
    """Several accounts hold the role that a command needs; ``facts`` list them by department."""

    code = "account-ambiguous"
    status = 409
    exit_code = EXIT_USAGE
    title_zh = "有多个账号具备该角色"
    title_en = "Several accounts hold the role"
    remedy_zh = "请用 --as（login-link 用 --account）指定所列账号之一。"
    remedy_en = "Name one of those listed with --as (login-link: --account)."


class NotADocumentError(CunzhengError):
    """The file is neither a PDF nor a signed answer, so there is nothing to verify."""

    code = "not-a-document"
    status = 422
    exit_code = EXIT_CANNOT_TELL
    title_zh = "既不是 PDF，也不是核验结论"
    title_en = "Neither a PDF nor a signed answer"
    remedy_zh = "请提供 PDF 文件，或免证核验接口返回的结论文件。"
    remedy_en = "Give a PDF, or the answer of a no-proof question as it was received."
