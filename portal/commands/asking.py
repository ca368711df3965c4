# SPDX-License-Identifier: Apache-2.0
"""Ask which proofs of an open case are established, as another system does."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

import json
from pathlib import Path
from typing import Any

import click

_MARKS = {"MET": "●", "PROVISIONAL": "▲", "PENDING": "▲", "UNKNOWN": "?", "NOT_MET": "✕"}


@click.command()
@click.argument("address")
@click.option("--case", "case", required=True, metavar="SOURCE/NUMBER", help="The open case 在办件.")
@click.option("--item", required=True, help="Code of its item 事项编码.")
@click.option("--purpose", default="accept", show_default=True, help="A published purpose 用途.")
@click.option("--operator", required=True, help="Account id of who asks 办理人账号.")
@click.option("--client", required=True, help="Id of the calling system 调用方编号.")
@click.option(
    "--key-file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The system's private key, JWK or PEM; it is sent nowhere 私钥文件.",
)
@click.option(
    "--keys",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("jwks.json"),
    show_default=True,
    help="Key set by which the answer is checked; kept from the first visit 公钥文件.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("answer.jws"),
    show_default=True,
    help="Where the signed answer goes 结论文件.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the decision as JSON 输出 JSON.")
def ask(
    address: str,
    case: str,
    item: str,
    purpose: str,
    operator: str,
    client: str,
    key_file: Path,
    keys: Path,
    out: Path,
    *,
    as_json: bool,
) -> None:
    """免证核验 / Ask ADDRESS which proofs of a case are established; check the signed answer and print it.

    Exit code 0: a genuine answer; 1: not genuine; 3: refused, with its code.
    """
    from portal.asking.services import Asking, ask
    from portal.asking.signing import CallerKey

    source, slash, number = case.partition("/")
    if not slash or not source or not number:
        raise click.BadParameter("SOURCE/NUMBER", param_hint="--case")
    key = CallerKey.read(key_file)
    jws, found = ask(Asking(address, client, key, operator, source, number, item, purpose), keys)
    out.write_text(jws + "\n", "ascii")
    decision: Any = found.decision
    if as_json:
        click.echo(json.dumps(decision, ensure_ascii=False))
        return
    click.echo(f"✓ 签名有效 genuine; 核验结论 decision {decision['id']} → {out}")
    for one in decision["requirements"]:
        reason = one["reason"]
        click.echo(f"{_MARKS.get(one['result'], '?')} {one['id']} {one['zh']} / {one['en']}: {one['result']}")
        click.echo(f"    {reason['zh']} / {reason['en']}")
        for step in one["next"]:
            click.echo(f"    → {step['zh']} / {step['en']}")
    promise = found.promise
    click.echo(f"存证承诺 promise  {promise['core_sha256']} ({promise['redeem_by']})")
