# SPDX-License-Identifier: Apache-2.0
"""No-proof questions of systems whose call goes no further than the door: each is refused by itself.

What is answered is decided before. A holder whose case such a question names is told of it, as of any other
question that was refused.
"""

from collections.abc import Sequence

from flask import request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from licenses.admitting import turned_away
from licenses.questions import ProofQuestion
from portal.refusals import record_apart
from portal.rooms import Rooms
from portal.web.access import Rule
from storage.identity import Identity


def refuse_questions(rooms: Rooms, rule: Rule, who: Identity, reason: str) -> None:
    """Record the refusal of each question that a call of a system asks, if it asks any in good form."""
    for question in _questions(rule):
        record_apart(rooms.database, turned_away(who, question, reason))


def _questions(rule: Rule) -> Sequence[ProofQuestion]:
    if rule.questions is None:
        return ()
    try:
        return rule.questions(request.get_json(silent=True))
    except (HTTPException, ValidationError):
        # Too long, or no question.
        return ()
