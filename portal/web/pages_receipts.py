# SPDX-License-Identifier: Apache-2.0
"""The receipt of an act as a page: what it proves, and the command that checks it without this server."""

import json

from apiflask import APIBlueprint
from flask import Response, render_template

from portal.web import context
from portal.web.access import public
from portal.web.api_ledger import receipt_answer
from storage.clock import parse_rfc3339
from storage.errors import NotFoundError
from storage.ledger.entries import parse_entry
from storage.ledger.errors import ReceiptNotReadyError
from storage.ledger.kinds import TITLES, ActKind
from storage.ledger.reading import receipt_for
from storage.ledger.receipts import parse_receipt

blueprint = APIBlueprint("receipts", __name__, url_prefix="/receipts", enable_openapi=False)
_WHY = "who knows the act's id holds its promise; the id cannot be guessed"
_UNRECORDED = "a receipt holds no personal data"


@blueprint.get("/<act>")
@public(_WHY, unrecorded=_UNRECORDED)
def show(act: str) -> str:
    """Show what a receipt proves."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        try:
            receipt = parse_receipt(receipt_for(uow.session, act))
        except ReceiptNotReadyError:
            return render_template("receipt.html", act=act, entry=None)
    entry = parse_entry(receipt.entry)
    if entry.act_id != act:
        raise NotFoundError
    core = json.loads(entry.core)
    return render_template(
        "receipt.html",
        act=act,
        entry=entry,
        core=core,
        at=parse_rfc3339(entry.at),
        title=TITLES[ActKind(core["kind"])],
        log_key=rooms.keys.log_key,
    )


@blueprint.get("/<act>/file")
@public(_WHY, unrecorded=_UNRECORDED)
def download(act: str) -> Response:
    """Give the receipt file."""
    return receipt_answer(act)
