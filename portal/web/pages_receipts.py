# SPDX-License-Identifier: Apache-2.0
"""The receipt of an act as a page: what it proves, and the command that checks it without this server."""

import json
from typing import Final

from apiflask import APIBlueprint
from flask import Response, render_template

from portal.web import context
from portal.web.access import public
from portal.web.api_ledger import receipt_answer, receipt_file
from storage.clock import parse_rfc3339
from storage.errors import NotFoundError
from storage.ledger.entries import parse_entry
from storage.ledger.errors import ReceiptNotReadyError
from storage.ledger.kinds import TITLES, ActKind
from storage.ledger.notes import VerifierKey
from storage.ledger.policies import single_log_policy
from storage.ledger.reading import receipt_for
from storage.ledger.receipts import parse_receipt

blueprint = APIBlueprint("receipts", __name__, url_prefix="/receipts", enable_openapi=False)
_WHY = "who knows the act's id holds its promise; the id cannot be guessed"
_UNRECORDED = "a receipt holds no personal data"
POLICY_FILE: Final = "cunzheng-policy.txt"
"""The name under which the policy that trusts this installation's log is downloaded."""


@blueprint.get("/policy")
@public("verifiers need the key", unrecorded="public by design, tells nothing about anybody")
def policy() -> Response:
    """Give the policy that trusts this log, for ``cunzheng-verify --policy``."""
    text = single_log_policy(VerifierKey.parse(context.rooms().keys.log_key))
    answer = Response(text, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{POLICY_FILE}"'
    return answer


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
        receipt_file=receipt_file(act),
        policy_file=POLICY_FILE,
    )


@blueprint.get("/<act>/file")
@public(_WHY, unrecorded=_UNRECORDED)
def download(act: str) -> Response:
    """Give the receipt file."""
    return receipt_answer(act)
