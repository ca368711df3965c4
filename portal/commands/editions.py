# SPDX-License-Identifier: Apache-2.0
"""Commands of editions of data: check a file, propose it, see what waits, decide, take back."""

# The command line must answer at once: what a command needs is imported when it runs.

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portal.commands.common import AS, carry, terminal
from storage.errors import EXIT_DONE, EXIT_INVALID
from storage.identity import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cases.lint import LintFinding
    from portal.editions.services import Checked, EditionView

_REASON = click.option("--reason", required=True, help="Reason 理由.")
_ID = click.argument("edition_id", metavar="ID")
_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON 输出 JSON.")


@click.group()
def edition() -> None:
    """目录版本 / Editions of items, types, templates, rules, profiles, relations: two persons decide."""


@edition.command("check")
@_FILE
def edition_check(file: Path) -> int:
    """校验文件 / Say what speaks against a file, and what it would change; ends 1 when an error blocks it."""
    from cases.lint import blocking  # noqa: PLC0415 - see above

    with terminal() as here, here.rooms.database.reading() as uow:
        checked = here.rooms.editions.check(uow, _read(file))
    _tell(checked)
    if blocking(checked.findings):
        return EXIT_INVALID
    click.echo("可以提交 / may be proposed")
    return EXIT_DONE


@edition.command("propose")
@_FILE
@_REASON
@AS
def edition_propose(file: Path, reason: str, account: str | None) -> None:
    """提交新版本 / Propose a file as an edition."""
    data = _read(file)
    with terminal() as here:
        who = here.act_as(Role.SYSTEM_ADMIN, account)
        made = here.rooms.database.write(lambda uow: here.rooms.editions.propose(uow, who, data, reason).id)
    click.echo(f"已提交，等待审批 / proposed, waits for a decision: {made}")


@edition.command("list")
@_JSON
@AS
def edition_list(*, as_json: bool, account: str | None) -> None:
    """列出待审批和已办结的版本 / List what waits and what was decided."""
    from portal.accounts.rights import ADMINISTRATORS  # noqa: PLC0415 - see above

    with terminal() as here:
        who = here.act_as_any(ADMINISTRATORS, Role.SECURITY_ADMIN, account)
        with here.rooms.database.reading() as uow:
            editions = here.rooms.editions
            shown = [_summary(one) for one in (*editions.open(uow, who), *editions.past(uow, who))]
            heirs = editions.broken_heirs(uow, who)
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for one in shown:
        click.echo(
            f"{one['id']} {one['kind']:9} {one['version']} {one['state']:9} 理由 reason: {one['reason']}"
        )
    if not shown:
        click.echo("没有提交过版本 / no edition was proposed")
    _tell_findings(heirs)


@edition.command("show")
@_ID
@_JSON
@AS
def edition_show(edition_id: str, *, as_json: bool, account: str | None) -> None:
    """查看一个版本 / Show an edition: what was decided, findings, what it would change."""
    from portal.accounts.rights import ADMINISTRATORS  # noqa: PLC0415 - see above

    with terminal() as here:
        who = here.act_as_any(ADMINISTRATORS, Role.SECURITY_ADMIN, account)
        with here.rooms.database.reading() as uow:
            view = here.rooms.editions.get(uow, who, edition_id)
            shown = _summary(view) | {"body": view.row.body}
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    for name in (
        "id",
        "kind",
        "version",
        "state",
        "digest",
        "proposed_by",
        "expires_at",
        "reason",
        "decision",
    ):
        click.echo(f"{name}: {shown[name]}")
    if view.checked is not None:
        _tell(view.checked)


@edition.command("approve")
@_ID
@_REASON
@AS
def edition_approve(edition_id: str, reason: str, account: str | None) -> None:
    """批准并生效 / Approve an edition; it takes effect without a restart."""
    carry(
        Role.SECURITY_ADMIN,
        account,
        lambda rooms, uow, who: rooms.editions.approve(uow, who, edition_id, reason),
    )
    click.echo(f"已批准 / approved: {edition_id}")


@edition.command("refuse")
@_ID
@_REASON
@AS
def edition_refuse(edition_id: str, reason: str, account: str | None) -> None:
    """驳回 / Refuse an edition."""
    carry(
        Role.SECURITY_ADMIN,
        account,
        lambda rooms, uow, who: rooms.editions.refuse(uow, who, edition_id, reason),
    )
    click.echo(f"已驳回 / refused: {edition_id}")


@edition.command("withdraw")
@_ID
@_REASON
@AS
def edition_withdraw(edition_id: str, reason: str, account: str | None) -> None:
    """撤回 / Take one's own proposal back."""
    carry(
        Role.SYSTEM_ADMIN,
        account,
        lambda rooms, uow, who: rooms.editions.withdraw(uow, who, edition_id, reason),
    )
    click.echo(f"已撤回 / withdrawn: {edition_id}")


def _read(file: Path) -> bytes:
    """Read a file, a little more than the lint admits at most; what is no regular file counts as empty."""
    from cases.lint import MOST_BYTES  # noqa: PLC0415 - see above

    # A pipe would keep the command waiting for whoever writes to it.
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as handle:
        if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
            return b""
        return handle.read(MOST_BYTES + 1)


def _tell(checked: "Checked") -> None:
    _tell_findings(checked.findings)
    for change in checked.differences:
        click.echo(f"{change.name} {change.zh}")
        for row in change.rows:
            click.echo(f"  {row.place}: {row.before or '—'} → {row.after or '—'}")


def _tell_findings(findings: "Iterable[LintFinding]") -> None:
    for one in findings:
        kind = "错误 error" if one.blocks else "提示 warning"
        rule = f" ({one.rule})" if one.rule else ""
        line, column = one.place
        at = f" 第{line}行第{column}列 line {line}, column {column}" if line else ""
        place = one.about or one.path or "/"
        click.echo(f"{kind} [{one.code}]{rule} {place}{at}  {one.zh} / {one.en}")


def _summary(view: "EditionView") -> dict[str, Any]:
    row = view.row
    return {
        "id": row.id,
        "kind": row.kind,
        "version": row.version,
        "state": "late" if view.late else row.state,
        "digest": row.digest,
        "proposed_by": row.proposed_by,
        "proposed_at": row.proposed_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "decided_by": row.decided_by,
        "decided_at": None if row.decided_at is None else row.decided_at.isoformat(),
        "reason": view.reason,
        "decision": view.decision,
    }
