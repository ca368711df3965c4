# SPDX-License-Identifier: Apache-2.0
"""What the terminal shows when the demonstration is ready: where to look, what to try."""

from collections.abc import Iterator, Mapping

from rich.table import Table

from cases.identifiers import RESIDENT_ID
from portal.demo.driver import ANSWER, GENUINE, TAMPERED
from portal.demo.figures import Figures
from portal.demo.people import Cast
from portal.demo.script import Script
from portal.settings import Settings
from storage.identity import Role

_USUAL_DATA = Settings.model_fields["data"].default
_ROLE_TITLES = {
    Role.ARCHIVIST: "归档员 archivist",
    Role.CLERK: "窗口人员 window clerk",
    Role.INSPECTOR: "查验员 inspector",
    Role.SUPERVISOR: "监察员 supervisor",
    Role.SYSTEM_ADMIN: "系统管理员 system administrator",
    Role.SECURITY_ADMIN: "安全管理员 security administrator",
    Role.AUDIT_ADMIN: "审计管理员 audit administrator",
}


def figures_table(figures: Figures, title: str) -> Table:
    """Give the figures as a table for a terminal."""
    table = Table(title=title)
    table.add_column("项目 figure")
    table.add_column("数量 number", justify="right")
    counts = figures.counts
    rows = (
        ("收到 received", counts.received),
        ("已归档 filed", counts.filed),
        ("退回 returned", counts.returned),
        ("隔离 quarantined", counts.quarantined),
        ("处理中 in progress", counts.in_progress),
        ("仅存原件 original-only materials", len(figures.original_only)),
        ("签发证照 licences issued", figures.licenses),
        ("用章等计划 intents", figures.intents),
        ("行为 acts", figures.acts),
        ("审计链条目 ledger entries", figures.entries),
    )
    for name, number in rows:
        table.add_row(name, str(number))
    for name in figures.original_only:
        table.add_row(f"  仅存原件 original only: {name}", "")
    return table


def greeting(
    settings: Settings, cast: Cast, script: Script, links: Mapping[str, str], code: str | None
) -> Iterator[str]:
    """Give the lines that a newcomer needs.

    Args:
        settings: Of the demonstration.
        cast: Who acts in it.
        script: What was played.
        links: Login links by role.
        code: The verification code of a licence; ``None`` where none was issued.
    """
    asked = next(case for case in script.cases if case.expect["state"] == "open").data()
    yield ""
    yield f"地址 address      {settings.public_url}"
    yield f"数据 data         {settings.data}    日志 logs  {settings.logs}"
    for role, link in links.items():
        yield f"登录 sign in      {_ROLE_TITLES[Role(role)]}: {link}"
    folder = "" if settings.data == _USUAL_DATA else f"--data {settings.data} "
    yield (
        f"每个链接 {settings.login_link_minutes} 分钟内可用一次 each works once, within as many minutes; "
        f"再取 another: .venv/bin/cunzheng {folder}login-link archivist"
    )
    yield f"办事人 citizens   我的证照 my licences: {settings.public_url}/mine"
    yield f"办件 case to try  {asked['number']}"
    yield ""
    yield "免证核验 ask the library instead of the citizen:"
    yield f"  .venv/bin/cunzheng ask {settings.public_url} --client {cast.sandbox} \\"
    yield f"    --key-file {cast.key_file} --operator {cast.accounts[Role.CLERK]} \\"
    yield f"    --case {asked['source']}/{asked['number']} --item {asked['item']['code']}"
    yield from _to_verify(settings, script, folder, asked["number"])
    yield ""
    yield "可以点开 six things to try:"
    yield "  1. 归档员 archivist: 归档工作台 → 退回 → 打开退回单 the returned case and its reasons"
    yield f"  2. 窗口 window: 输入 {asked['number']}，回车 type the number, press Enter"
    second = _open_after_an_earlier_case(script, asked["item"])
    if second is not None:
        yield f"     {second}: 既往办结件已核实 a proof that an earlier case establishes"
    yield f"  3. 查验 verify: {settings.public_url}/verify ← {settings.data / TAMPERED}"
    if code is not None:
        yield f"     二维码所指 where a QR code leads: {settings.public_url}/v/{code}"
    yield "  4. 监察 supervisor: 追溯同一办件编号 trace the same number"
    yield "  5. 检索 search: 食品 (任意连续汉字 any run of Han characters)"
    yield f"  6. 办事人 citizen: {settings.public_url}/mine → 我不认可 object to a use"
    person = _person_with_a_licence(script)
    if person is not None:
        yield f"     选择 choose: {person}"
    yield ""
    yield "按 Ctrl-C 停止 / press Ctrl-C to stop"


def _to_verify(settings: Settings, script: Script, folder: str, number: str) -> Iterator[str]:
    yield "核验结论 verify the answer:"
    yield f"  .venv/bin/cunzheng {folder}verify answer.jws    # {number}"
    if (settings.data / ANSWER).exists():
        yield f"  .venv/bin/cunzheng {folder}verify {settings.data / ANSWER}    # {_last_answered(script)}"
    if (settings.data / GENUINE).exists():
        yield "核验证照 verify a licence, and a copy of it with one byte changed:"
        yield f"  .venv/bin/cunzheng {folder}verify {settings.data / GENUINE}"
        yield f"  .venv/bin/cunzheng {folder}verify {settings.data / TAMPERED}"


def _last_answered(script: Script) -> str:
    """Give the number of the case whose answer the script left in the data folder."""
    answered = [step for step in script.steps if step["action"] == "ask" and step["expect"] != "refused"]
    return str(script.case(answered[-1]["case"]).data()["number"])


def _open_after_an_earlier_case(script: Script, item: Mapping[str, str]) -> str | None:
    """Give the number of an open case of an item whose holder was granted it before."""
    of_item = [(case.expect["state"], case.data()) for case in script.cases if case.data()["item"] == item]
    granted = [one["holder"] for state, one in of_item if state == "filed" and one["result"] == "approved"]
    still_open = (one for state, one in of_item if state == "open")
    return next((one["number"] for one in still_open if one["holder"] in granted), None)


def _person_with_a_licence(script: Script) -> str | None:
    """Give the name of a natural person whose licence the script has issued."""
    holders = (case.data()["holder"] for case in script.cases if case.expect.get("licence") == "valid")
    return next((holder["name"] for holder in holders if holder["scheme"] == RESIDENT_ID), None)
