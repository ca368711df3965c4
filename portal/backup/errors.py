# SPDX-License-Identifier: Apache-2.0
"""What backup and restore refuse."""

from storage.errors import EXIT_INVALID, ConflictError, RefusedError


class BackupFolderError(ConflictError):
    """The folder for a backup holds something; each backup has its own."""

    code = "backup-folder-not-empty"
    title_zh = "备份目录不是空的"
    title_en = "The folder for the backup is not empty"
    remedy_zh = "请另指定一个新目录；已有的备份不会被改写。"
    remedy_en = "Name a new folder; no backup is overwritten."


class BackupProgramError(RefusedError):
    """PostgreSQL's own program is missing or failed; ``program`` names it."""

    code = "backup-program"
    status = 500
    title_zh = "数据库备份程序缺失或执行失败"
    title_en = "PostgreSQL's own program is missing or failed"
    remedy_zh = "请安装与服务器同版本或更新的 postgresql-client，并检查地址、权限与磁盘空间。"
    remedy_en = "Install a postgresql-client not older than the server; check address, rights and disk."


class BackupMalformedError(RefusedError):
    """The backup is incomplete, altered or not one; ``rule`` says what does not hold."""

    code = "backup-malformed"
    status = 422
    exit_code = EXIT_INVALID
    title_zh = "备份不完整、已被改动或格式不符"
    title_en = "The backup is incomplete, altered or not one"
    remedy_zh = "不得使用该备份；请改用另一份备份，并查明改动原因。"
    remedy_en = "Do not use it; take another backup and find out what altered this one."


class BackupForeignError(ConflictError):
    """The backup does not belong to this installation or version; ``rule`` says why."""

    code = "backup-foreign"
    title_zh = "备份不属于本系统或本版本"
    title_en = "The backup is of another installation or version"
    remedy_zh = "请核对数据库种类、审计链名称（CUNZHENG_LOG_ORIGIN）、密钥目录与产品版本。"
    remedy_en = "Check the kind of database, CUNZHENG_LOG_ORIGIN, the key folder and the product's version."


class DatabaseNotEmptyError(ConflictError):
    """The database holds tables; a restore does not mix histories."""

    code = "database-not-empty"
    title_zh = "目标数据库不是空的"
    title_en = "The database is not empty"
    remedy_zh = "请核对地址；确认要以备份取代其内容时加 --replace。"
    remedy_en = "Check the address; if the backup is to take its place, add --replace."


class NewLogNeededError(ConflictError):
    """What was published cannot be followed to its end, so the log must not go on under its name."""

    code = "new-log-needed"
    title_zh = "已发布的审计链无法接续，须开启新链"
    title_en = "The published log cannot be continued; a new one must begin"
    remedy_zh = (
        "请先设法找回缺失的对象。确实无法找回时，将 CUNZHENG_LOG_ORIGIN 设为新名称，加 --new-log 重试。"
    )
    remedy_en = (
        "Try to get the missing objects back. If they are lost, set CUNZHENG_LOG_ORIGIN to a new name and "
        "run again with --new-log."
    )
