# SPDX-License-Identifier: Apache-2.0
"""Commands that back the records up and bring them back."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portal.commands.common import AS, load_settings, terminal
from storage.errors import EXIT_DONE, EXIT_INVALID
from storage.identity import Role

if TYPE_CHECKING:
    from portal.backup.restoring import Means, Restored
    from portal.settings import Settings


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@AS
def backup(folder: Path, account: str | None) -> None:
    """备份 / Back the records up into FOLDER, a new one, while work goes on.

    The backup holds no keys and no objects: the folders keys and pki and the object store are kept apart.
    """
    from portal.backup.saving import make_backup, record_backup

    with terminal() as here:
        administrator = here.act_as(Role.SYSTEM_ADMIN, account)
        manifest = make_backup(here.settings, folder, here.rooms.clock, here.rooms.ids)
        here.rooms.database.write(lambda uow: record_backup(uow, administrator, manifest))
    log = manifest.log
    click.echo(f"已备份 backed up: {folder}  {manifest.dump.size} B  sha256 {manifest.dump.sha256}")
    click.echo(f"审计链 ledger: {log.origin}  {log.size} 条 entries，未定序 pending {log.pending}")
    click.echo(f"另行保管 kept apart: {', '.join(manifest.needs)}")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Take the place of what is there 取代现有内容.")
@click.option("--new-log", is_flag=True, help="Begin a log of the name CUNZHENG_LOG_ORIGIN 以新名称开启新链.")
def restore(folder: Path, *, replace: bool, new_log: bool) -> int:
    """恢复 / Restore the backup in FOLDER and catch up with what was published since.

    Stop every process first. The log goes on from the newest published checkpoint, never below it. When a
    published bundle is gone, a new log begins whose entry 0 commits to the old head: set
    CUNZHENG_LOG_ORIGIN to its name and add --new-log. Exit code 1 when files of dossiers are gone.
    """
    from portal.backup.restoring import Restoration
    from portal.processes import only_one, web_lock
    from storage.ledger.sequencer import SequencerLock

    settings = load_settings()
    settings.data.mkdir(parents=True, exist_ok=True)
    lock = SequencerLock(settings.data / "sequencer.lock")
    try:
        with only_one(web_lock(settings.data)), only_one(settings.data / "worker.lock"):
            restored = Restoration(settings, folder, _means(settings)).run(replace=replace, new_log=new_log)
    finally:
        lock.release()
    for line in _report(restored):
        click.echo(line)
    return EXIT_INVALID if restored.lost_objects else EXIT_DONE


def _means(settings: "Settings") -> "Means":
    from archive.resuming import resume_filings
    from licenses.resuming import resume_copying, resume_issuing
    from portal.backup.restoring import Means
    from seals import demo_pki
    from seals.keys import FileKeyStore
    from seals.resuming import abandon_open
    from seals.tokens import TrustedTokens
    from storage.clock import RandomIds, SystemClock
    from storage.ledger.ports import TokenVerifier

    clock = SystemClock()

    def tokens() -> TokenVerifier:
        keys = FileKeyStore(settings.keys / "seals")
        return TrustedTokens(demo_pki.create(settings.pki, keys, clock).trust())

    return Means(clock, RandomIds(), tokens, abandon_open, (resume_issuing, resume_copying, resume_filings))


def _report(restored: "Restored") -> Iterator[str]:
    manifest, found, rebuilt = restored.manifest, restored.found, restored.caught.rebuilt
    published = found.newest.size if found.newest else 0
    yield f"备份 backup: {manifest.id}  {manifest.made_at.isoformat(timespec='seconds')}  {manifest.product}"
    if restored.confirmed:
        yield "● 审计链载有该备份的摘要 / the ledger names this backup with this digest"
    else:
        yield (
            "▲ 审计链未载该备份：备份后未及发布，或备份来历不明，请核对保管记录 / "
            "the ledger does not name this backup: it was made too shortly before the loss, or is not ours; "
            "check where it was kept"
        )
    yield (
        f"审计链 ledger: 由 from {found.start} 至 to {found.until}，已发布 published {published}，"
        f"重放 replayed {rebuilt.acts}，备份中待定序 known from the backup {restored.caught.known}，"
        f"已依法删除 erased {rebuilt.erased}"
    )
    yield from _log_line(restored)
    yield f"重建 rebuilt: {_counts(rebuilt.rows)}"
    yield f"仅恢复审计记录、不涉及业务数据的行为 acts that changed no holding: {_counts(restored.rowless)}"
    yield (
        "不恢复 not rebuilt: 已发布大小之后的行为 acts after the published size; "
        "备份之后的收件回执、结论签名件、登录会话与登录链接 "
        "receipts of intake, signed answers, sessions and login links since the backup"
    )
    yield (
        f"步骤 steps added: {restored.steps}，用章放弃 uses of seals abandoned: {restored.intents}，"
        f"缺失文件 files gone: {restored.lost_objects}"
    )
    yield "→ cunzheng doctor; cunzheng index reconcile; cunzheng ledger export FOLDER + cunzheng-verify"


def _log_line(restored: "Restored") -> Iterator[str]:
    broken = restored.found.broken
    if restored.new_log is None:
        yield f"● 原链接续 the same log goes on: {restored.manifest.log.origin}"
        return
    why = f"{broken.rule} @ {broken.seq}" if broken else "—"
    yield f"▲ 开启新链 a new log begins: {restored.new_log}（{why}），带入 carried over {restored.carried}"
    for seq in restored.found.gone:
        yield f"✕ 缺失 bundle gone: {seq}…{seq + 255}"


def _counts(counter: Counter[str]) -> str:
    return "，".join(f"{name} {number}" for name, number in sorted(counter.items())) or "—"
