# SPDX-License-Identifier: Apache-2.0
"""Visits of the pages on which strangers and inspectors contest a licence."""

from .pages import EXPIRED, REFUSED, SCRIPT, Visit

_FORM = "/verify/dispute"
_ANSWERS = "/verify/disputes"
_SAID = {"code": "z" * 26, "reason": "dates-wrong", "words": "{mark}", "contact": "{mark}"}


def _sent(name: str, status: int = 422, **more: object) -> Visit:
    return Visit(
        **{"name": name, "status": status, "path": _FORM, "form": _SAID, "redisplays": True} | more  # type: ignore[arg-type]  # data
    )


def _asked(name: str, **more: object) -> Visit:
    form = {"number": "z" * 26, "key": "{mark}"}
    return Visit(**{"name": name, "status": 404, "path": _ANSWERS, "form": form} | more)  # type: ignore[arg-type]  # data


DISPUTES = [
    _sent("a form of a dispute with markup for a code", 200, form=None, query={"code": SCRIPT}),
    _sent("a dispute without a token", 403, code=EXPIRED, token="none"),
    _sent("a dispute of no licence", 404, code="license-not-found", acts=REFUSED, redisplays=False),
    _sent("a dispute of markup", 404, form=_SAID | {"code": SCRIPT}),
    _sent("a dispute for a reason made up", form=_SAID | {"reason": SCRIPT}),
    _sent("a dispute that says nothing", form=_SAID | {"words": " "}),
    _sent("a dispute of nobody", form=_SAID | {"contact": " "}),
    _sent("a dispute by a clerk", 404, code="license-not-found", who="clerk", acts=REFUSED, redisplays=False),
    Visit(name="answers looked at by a stranger", status=200, path=_ANSWERS),
    _asked("the answer to a dispute that there is not"),
    _asked("an answer by a number that is a statement", form={"number": "' OR 1=1 --{mark}", "key": SCRIPT}),
    _asked("an answer without a token", status=403, code=EXPIRED, token="none"),
]
