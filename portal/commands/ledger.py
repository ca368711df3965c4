# SPDX-License-Identifier: Apache-2.0
"""Commands on the ledger: export it, and redeem a promise for a receipt."""

# The command line must answer at once: what a command needs is imported when it runs.
# ruff: noqa: PLC0415

from pathlib import Path

import click

from portal.commands.common import require_installation, terminal
from storage.errors import InvalidInputError


@click.group()
def ledger() -> None:
    """审计链 / The tamper-evident ledger."""


@ledger.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(folder: Path) -> None:
    """导出审计链 / Export the log to FOLDER, for cunzheng-verify and other C2SP tools."""
    from portal.bootstrap import ledger_signer
    from storage.ledger.export import export_log

    with terminal() as here:
        key = ledger_signer(here.settings).verifier
        exported = export_log(here.rooms.database, folder, key, here.rooms.trust_pem())
    click.echo(f"已导出 {exported.entries} 条 / exported {exported.entries} entries, {exported.files} files")
    click.echo(f"cunzheng-verify {folder} --policy {folder / 'policy'} --ca {folder / 'ca.pem'}")


@ledger.command()
@click.argument("act")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="File 文件 (default ACT.tlog-proof)."
)
def receipt(act: str, out: Path | None) -> None:
    """领取存证回执 / Redeem a promise: write the receipt of the act with digest ACT."""
    from portal.bootstrap import open_foundation
    from storage.ledger.reading import receipt_for

    if len(act) != 64 or not set(act) <= set("0123456789abcdef"):
        raise InvalidInputError(field="ACT", rule="64 hexadecimal digits")
    foundation = open_foundation(require_installation())
    with foundation.database.reading() as uow:
        proof = receipt_for(uow.session, act)
    foundation.database.close()
    path = out or Path(f"{act[:16]}.tlog-proof")
    path.write_bytes(proof)
    click.echo(str(path))
