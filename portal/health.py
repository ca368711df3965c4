# SPDX-License-Identifier: Apache-2.0
"""What ``cunzheng doctor`` looks at: one finding per part, each with who is affected and what to do.

Nothing is repaired here. A check that breaks is a finding that is not well, never a silent pass.
"""

import datetime as dt
import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from documents.attachments import checks_in_forks
from documents.sandbox import Sandbox
from documents.tools import probe_all
from indexer.errors import IndexUnavailableError
from portal.address import served_at
from portal.backup.saving import last_backup
from portal.errors import BrokerUnavailableError
from portal.findings import Finding, unwell
from portal.index_keeping import recorded_count
from portal.indexing import oldest_waiting
from portal.key_marks.services import require_own_keys
from portal.listening import HELD, Listener, who_listens
from portal.migrations.upgrading import is_current
from portal.object_keeping import affected
from portal.proving import working_calendar
from portal.pulse import PROCESSES, SILENT_SECONDS, Pulse
from portal.rooms import Rooms
from portal.settings import Settings
from seals.tokens import TrustedTokens
from storage.clock import legal_date
from storage.errors import CunzhengError
from storage.identity import system_identity
from storage.ledger.reading import read_status
from storage.objects.probe import RACERS, TOLERATED_SKEW, ClockVerdict, LockVerdict
from storage.objects.renewal import unrenewed
from storage.steps import unfinished

_SPACE_BYTES = 2 << 30
_LOCK_WORDS = {
    LockVerdict.LOCKED: ("锁定有效，攻击均被拒绝", "locked, every attack was refused"),
    LockVerdict.NOT_LOCKED: ("未锁定，得手的攻击：", "not locked, attacks that succeeded: "),
    LockVerdict.CANNOT_TELL: ("无法判断", "cannot tell"),
}
_CLOCK_WORDS = {
    ClockVerdict.AGREES: ("与时间戳服务一致，偏差", "in step with the time stamp authority:"),
    ClockVerdict.DIFFERS: ("与时间戳服务不一致，偏差", "out of step with the time stamp authority:"),
    ClockVerdict.CANNOT_TELL: ("未能与时间戳服务比对", "not compared with the time stamp authority"),
}
_BACKUP_HOURS = 48
_STARTS = {"web": "serve", "worker": "worker", "sequencer": "sequencer"}
_NAMED_AT_MOST = 5
_INDEX_LAG = dt.timedelta(minutes=10)
_DEADLINES_AHEAD = dt.timedelta(days=30)
"""What is counted in working days today ends about then."""


def examine_machine(part: str, lack: CunzhengError) -> Iterator[Finding]:
    """Look at what a machine has whose installation cannot be opened, and say for lack of which part."""
    yield from _tools()
    yield _algorithms()
    yield unwell(part, lack)


def examine(rooms: Rooms, settings: Settings) -> Iterator[Finding]:
    """Look at every part of an installation."""
    yield from _tools()
    yield _algorithms()
    for part, check in _CHECKS.items():
        try:
            yield check(rooms, settings)
        except CunzhengError as error:
            yield unwell(part, error)


def _tools() -> Iterator[Finding]:
    for state in probe_all():
        tool = state.probe
        seen = state.version or ("已安装" if state.present else "缺失")
        seen_en = state.version or ("installed" if state.present else "missing")
        yield Finding(
            f"tool:{tool.name}",
            state.present,
            tool.required,
            (f"{seen}（{tool.zh}）", f"{seen_en} ({tool.en})"),
            (state.install, state.install),
        )


def _algorithms() -> Finding:
    found = "sm3" in hashlib.algorithms_available
    words = ("SM3 可用", "SM3 is there") if found else ("OpenSSL 不提供 SM3", "OpenSSL offers no SM3")
    return Finding(
        "algorithms", found, True, words, ("请安装带 SM3 的 OpenSSL 3", "Install OpenSSL 3 with SM3")
    )


def _sandbox(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    sandbox = Sandbox(bubblewrap=settings.isolation_required or None, scratch=settings.staging)
    sandbox.prove()
    layer = str(sandbox.layer)
    strong = "bubblewrap" in layer.lower()
    try:
        forks = checks_in_forks(sandbox)
    finally:
        sandbox.close()
    each = ("分支进程", "a fork") if forks else ("新进程，较慢", "a new process, which is slower")
    return Finding(
        "sandbox",
        strong,
        settings.isolation_required,
        (f"隔离层 {layer}，查验每份文件用{each[0]}", f"layer {layer}, {each[1]} for each checked file"),
        ("安装 bubblewrap 可增加网络与文件隔离", "Install bubblewrap for isolation of network and files"),
    )


def _database(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    current = bool(is_current(settings.database_url))
    words = (
        ("表结构为当前版本", "tables are current") if current else ("表结构需升级", "tables need upgrading")
    )
    return Finding("database", current, True, words, ("运行 cunzheng init", "Run cunzheng init"))


def _keys(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    require_own_keys(settings)
    words = ("密钥与证书属于本系统的数据库", "keys and certificates are those of the records")
    return Finding("keys", well=True, needed=True, state=words)


def _space(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    free = shutil.disk_usage(settings.data).free
    words = (f"剩余 {free >> 20} MiB", f"{free >> 20} MiB free")
    return Finding("space", free > _SPACE_BYTES, True, words, ("请扩充磁盘空间", "Free or add disk space"))


def _objects(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    rooms.objects.probe()
    if rooms.lock_probe is not None:
        return Finding("objects", True, True, ("对象存储服务可写入", "the object server takes bytes"))
    return Finding("objects", True, True, ("写入并回读成功", "written and read back"))


def _lock(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    if rooms.lock_probe is None:
        return Finding("lock", True, False, ("文件夹存储，无保留期锁定", "a folder, without retention locks"))
    found = rooms.lock_probe.run()
    attacks, skew = ", ".join(found.succeeded), found.skew or 0.0
    zh, en = _LOCK_WORDS[found.verdict]
    clock_zh, clock_en = _CLOCK_WORDS[found.clock]
    if found.authority_skew is not None:
        clock_zh, clock_en = (words + f" {found.authority_skew:.1f} s" for words in (clock_zh, clock_en))
    zh = f"{zh}{attacks}，服务器时钟偏差 {skew:.1f} 秒，{clock_zh}"
    en = f"{en}{attacks}, skew of the server {skew:.1f} s, {clock_en}"
    if found.let_in is not None:
        zh += f"，{RACERS} 个并发的仅创建写入中有 {found.let_in} 个被接受"
        en += f", {found.let_in} of {RACERS} racing create-only writes let in"
    if found.untried:
        zh += f"，缺少所需密钥而未尝试：{', '.join(found.untried)}"
        en += f", not tried for lack of the key it takes: {', '.join(found.untried)}"
    remedy = (
        "更换真正执行保留期锁定的对象存储，收回写入密钥多余的权限，并校准其时钟；在此之前归档库不得称为已锁定",
        "Use a server that keeps its locks, take from the writer's key what it must not do, and set the"
        " server's clock; until then the archive is not locked",
    )
    clocks = abs(skew) <= TOLERATED_SKEW and found.clock is not ClockVerdict.DIFFERS
    return Finding("lock", found.verdict is LockVerdict.LOCKED and clocks, False, (zh, en), remedy)


def _renewal(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    if rooms.lock_probe is None:
        return Finding("renewal", True, False, ("文件夹存储，无锁定可续期", "a folder, no locks to renew"))
    with rooms.database.reading() as uow:
        late = unrenewed(uow.session, uow.clock.now(), _NAMED_AT_MOST)
        names = ", ".join(affected(uow.session, late.keys))
    if late.first_end is None:
        return Finding("renewal", True, False, ("锁定均已按期续期", "every lock was renewed in time"))
    first = late.first_end.date().isoformat()
    words = (
        f"{late.count} 个对象的锁定逾期未续，其中 {late.ended} 个已到期；最早 {first} 到期，涉及：{names}",
        f"{late.count} locks were not renewed, {late.ended} of them ended; the first end {first}: {names}",
    )
    remedy = (
        "确认 worker 在运行；日志中 not renewed 一行说明是被拒绝还是版本已不存在：前者请检查写入密钥的"
        " PutObjectRetention 权限，修复后自动续期；后者请从备份取回并重新存入",
        "See that a worker runs; its log says `not renewed` and why: where the bucket refuses, look at the"
        " writer's right PutObjectRetention, and renewal resumes by itself; where a version is gone, bring"
        " its bytes back from a backup",
    )
    return Finding("renewal", False, False, words, remedy)


def _steps(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    with rooms.database.reading() as uow:
        left = unfinished(uow.session)
    stuck, waiting = left.get("stuck", 0), left.get("waiting", 0)
    words = (
        f"未完成 {sum(left.values())}，等待 {waiting}，停滞 {stuck}",
        f"{sum(left.values())} unfinished, {waiting} waiting, {stuck} stuck",
    )
    remedy = (
        "用 cunzheng step list 查看原因；等待的步骤自动继续，停滞的修复后用 cunzheng step retry 重试",
        "See why with cunzheng step list; waiting steps go on by themselves, stuck ones after their repair"
        " with cunzheng step retry",
    )
    return Finding("steps", not stuck and not waiting, False, words, remedy)


def _ledger(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    with rooms.database.reading() as uow:
        status = read_status(uow.session)
    words = (
        f"{status.size} 条，未定序 {status.pending}，已锚定至 {status.anchored_size}",
        f"{status.size} entries, {status.pending} pending, anchored up to {status.anchored_size}",
    )
    lag = rooms.gate.lag()
    well = lag is not None and not rooms.gate.warns
    return Finding("ledger", well, True, words, ("启动 cunzheng sequencer", "Start cunzheng sequencer"))


def _authority(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    imprint = hashlib.sha256(b"doctor").digest()
    token = rooms.pki.tsa(rooms.ids).stamp(imprint)
    seen = TrustedTokens(rooms.pki.trust()).verify(token, imprint)
    skew = abs((rooms.clock.now() - seen).total_seconds())
    words = (f"令牌有效，偏差 {skew:.1f} 秒", f"token holds, skew {skew:.1f} s")
    return Finding("time", skew <= TOLERATED_SKEW, True, words, ("请校准时钟", "Set the clock"))


def _seals(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    with rooms.database.reading() as uow:
        views = rooms.seals.list(uow, system_identity("doctor"))
    now = rooms.clock.now()
    usable = [view for view in views if str(view.state) == "enabled" and view.valid_until > now]
    ending = [view for view in usable if view.valid_until - now < dt.timedelta(days=30)]
    words = (
        f"可用印章 {len(usable)}，30 天内到期 {len(ending)}",
        f"{len(usable)} usable seals, {len(ending)} end within 30 days",
    )
    return Finding(
        "seals", bool(usable) and not ending, True, words, ("请更换到期印章", "Replace ending seals")
    )


def _index(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    engine = rooms.index.engine
    try:
        up_to, held = rooms.index.indexed_up_to(), rooms.index.count()
    except IndexUnavailableError as error:
        # Filing goes on without it, so the installation as a whole is not ill.
        return replace(unwell("index", error), needed=False)
    when = up_to.isoformat(timespec="seconds") if up_to else "—"
    with rooms.database.reading() as uow:
        wanted = recorded_count(uow)
        oldest = oldest_waiting(uow)
    lag = dt.timedelta(0) if oldest is None else rooms.clock.now() - oldest
    seconds = int(lag.total_seconds())
    words = (
        f"{engine}：收录 {held} / 应收 {wanted}，滞后 {seconds} 秒，索引截至 {when}",
        f"{engine}: holds {held} of {wanted}, {seconds} s behind, indexed up to {when}",
    )
    behind = (
        "请检查 worker 进程，再执行 cunzheng index reconcile",
        "Look at the worker process, then run `cunzheng index reconcile`",
    )
    well = lag < _INDEX_LAG and (held == wanted or oldest is not None)
    return Finding("index", well, False, words, behind)


def _sharing(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    with rooms.database.reading() as uow:
        found = rooms.sharing.figures(uow)
    dead, waiting = sum(one.dead for one in found), sum(one.waiting for one in found)
    failing = [one for one in found if one.problem is not None]
    names = ", ".join(one.subscription for one in failing[:_NAMED_AT_MOST])
    zh = f"订阅 {len(found)}，待推送 {waiting}，死信 {dead}，接收异常 {len(failing)}"
    en = f"{len(found)} subscriptions, {waiting} waiting, {dead} dead letters, {len(failing)} failing"
    words = (zh, en) if not names else (f"{zh}：{names}", f"{en}: {names}")
    remedy = (
        "用 cunzheng subscription list 查看原因并通知接收方；恢复后用 cunzheng subscription resend 重发死信",
        "See why with cunzheng subscription list and tell the receiver; once it is well, send dead letters"
        " again with cunzheng subscription resend",
    )
    return Finding("sharing", not dead and not failing, False, words, remedy)


def _backup(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    with rooms.database.reading() as uow:
        last = last_backup(uow.session)
    remedy = ("执行 cunzheng backup，并安排每日定时备份", "Run cunzheng backup, and have it run every day")
    if last is None:
        return Finding("backup", False, False, ("尚无备份", "no backup yet"), remedy)
    hours = int((rooms.clock.now() - last).total_seconds() // 3600)
    words = (f"最近一次备份在 {hours} 小时前", f"the last backup was made {hours} hours ago")
    return Finding("backup", hours < _BACKUP_HOURS, False, words, remedy)


def _served(settings: Settings) -> tuple[str, int]:
    """Give where the web process listens, as it said when it started; behind a proxy, as configured."""
    said = urlsplit(served_at(settings))
    if settings.has_configured_address or said.hostname is None:
        return settings.host, settings.port
    return said.hostname, said.port or settings.port


def _processes(rooms: Rooms, settings: Settings) -> Finding:
    """Look for the lasting processes on this machine; where there are several, others may run them."""
    silent = {one: Pulse(settings.staging, one, rooms.clock).silent_since() for one in PROCESSES}
    runs = {one: since is not None and since < SILENT_SECONDS for one, since in silent.items()}
    host, port = _served(settings)
    listener = who_listens(host, port, rooms.keys.log_key)
    runs["web"] = listener is Listener.OURS
    there, missing = ([name for name, up in runs.items() if up is wanted] for wanted in (True, False))
    zh = f"本机在运行：{'、'.join(there) or '无'}"
    en = f"running on this machine: {', '.join(there) or 'none'}"
    held, remedies = HELD.get(listener), list[tuple[str, str]]()
    if held is not None:
        place = f"{host}:{port}"
        zh, en = f"{zh}；{held[0][0].format(place)}", f"{en}; {held[0][1].format(place)}"
        missing.remove("web")
        remedies.append(held[1])
    if missing:
        starts = [f"cunzheng {_STARTS[name]}" for name in missing]
        remedies.insert(0, (f"启动 {'、'.join(starts)}", f"Start {', '.join(starts)}"))
    if settings.database is not None or not remedies:
        return Finding("processes", True, False, (zh, en))
    remedy = ("；".join(one[0] for one in remedies), "; ".join(one[1] for one in remedies))
    return Finding("processes", False, False, (zh, en), remedy)


def _broker(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    if rooms.ask_broker is None:
        return Finding("broker", True, False, ("未配置，步骤轮询处理", "none: steps are found by looking"))
    try:
        rooms.ask_broker()
    except BrokerUnavailableError as error:
        # Steps are found by looking, too.
        return replace(unwell("broker", error), needed=False)
    return Finding("broker", True, False, ("消息服务有应答", "the broker answers"))


def _calendar(rooms: Rooms, settings: Settings) -> Finding:  # noqa: ARG001 - every check takes both
    until = legal_date(rooms.clock.now() + _DEADLINES_AHEAD)
    known = working_calendar().knows(until)
    state = (
        ("已知", "known") if known else ("未知，工作日期限可能算早", "unknown, deadlines may fall too early")
    )
    words = (f"{until.year} 年节假日{state[0]}", f"holidays of {until.year} {state[1]}")
    remedy = (
        "更新到载有该年节假日安排的版本",
        "Update to a release that holds that year's arrangement of holidays",
    )
    return Finding("calendar", known, False, words, remedy)


_CHECKS: dict[str, Callable[[Rooms, Settings], Finding]] = {
    "sandbox": _sandbox,
    "database": _database,
    "keys": _keys,
    "space": _space,
    "objects": _objects,
    "lock": _lock,
    "renewal": _renewal,
    "steps": _steps,
    "ledger": _ledger,
    "time": _authority,
    "seals": _seals,
    "index": _index,
    "sharing": _sharing,
    "backup": _backup,
    "broker": _broker,
    "processes": _processes,
    "calendar": _calendar,
}
