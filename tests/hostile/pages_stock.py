# SPDX-License-Identifier: Apache-2.0
"""Visits of the import of stock: what is no file, no profile, no run and no record of one's own."""

from .pages import EXPIRED, REFUSED, SCRIPT, Visit

HOME = "/licences/stock"
_WAITING = f"{HOME}/quarantine"
_RECORD = f"{_WAITING}/{'z' * 26}"
_FORM = {"profile": "provincial-exchange", "action": "trial"}
_FEED = (("../../{mark}.csv", b"certificate_number\n1\n"),)


def _sent(name: str, **more: object) -> Visit:
    """A form that a licence manager sends to the desk of imports, and that begins nothing."""
    return Visit(
        **{"name": name, "status": 422, "who": "licences", "path": HOME, "form": _FORM, "files": _FEED} | more
    )


def _unknown(name: str, path: str, code: str, **more: object) -> Visit:
    """A visit of what there is not; who looks for it is remembered."""
    return _read(name, path, 404, code, acts=REFUSED, **more)


def _read(name: str, path: str, status: int, code: str | None = None, **more: object) -> Visit:
    return Visit(**{"name": name, "status": status, "code": code, "who": "licences", "path": path} | more)


STOCK = [
    _sent("an import without a token", status=403, code=EXPIRED, token="none"),
    _sent("an import with another session's token", status=403, code=EXPIRED, token="clerk"),
    _sent("an import by a clerk", status=403, code="not-permitted", who="clerk", acts=REFUSED),
    _sent("an import by an administrator", status=403, code="not-permitted", who="system", acts=REFUSED),
    _sent("an import without a file", files=()),
    _sent("an import of an empty file", files=(("a.csv", b""),)),
    _sent("an import of two files", files=(*_FEED, ("second", b"x\n1\n"))),
    _sent("an import by a profile that is a path", status=404, form=_FORM | {"profile": "../../{mark}"}),
    _sent("an import by markup", status=404, form=_FORM | {"profile": SCRIPT}),
    _sent("an import without a profile", status=404, form={"action": "import"}),
    _sent("an import that is neither trial nor import", form=_FORM | {"action": "{mark}"}),
    _sent("a form of nothing but names", form={"{mark}": "{mark}"}, files=(), status=422),
    _unknown(
        "a run that is markup",
        f"{HOME}/runs/%22%3E%3Cscript%3E{{mark}}",
        "stock-run-unknown",
        redisplays=True,
    ),
    _unknown("a run that there is not", f"{HOME}/runs/{'z' * 26}", "stock-run-unknown"),
    _unknown("the report of none", f"{HOME}/runs/{{mark}}/report.csv", "stock-run-unknown", redisplays=True),
    _read("a state that is markup", _WAITING, 422, "invalid-input", query={"state": SCRIPT}, redisplays=True),
    _read("a reason that is markup", _WAITING, 200, query={"reason": SCRIPT}, redisplays=True),
    _read("a page behind a statement", _WAITING, 200, query={"after": "' OR 1=1 --{mark}"}, redisplays=True),
    _unknown("a record that there is not", _RECORD, "stock-record-unknown"),
    _read("a record as somebody else", _RECORD, 403, "not-permitted", who="supervisor", acts=REFUSED),
    _unknown(
        "a correction of a record that there is not",
        f"{_RECORD}/correction",
        "stock-record-unknown",
        form={"reason": "{mark}", "change:certificate_holder": SCRIPT},
    ),
    _read(
        "following a source in a way that there is not",
        f"{_RECORD}/following",
        422,
        "invalid-input",
        form={"change": SCRIPT, "reason": "{mark}"},
    ),
    _unknown(
        "following a record that there is not",
        f"{_RECORD}/following",
        "stock-record-unknown",
        form={"change": "renewal", "reason": "{mark}"},
    ),
    _unknown(
        "a rejection of a record that there is not",
        f"{_RECORD}/rejection",
        "stock-record-unknown",
        form={"reason": SCRIPT},
    ),
    _unknown(
        "trying again by a profile that there is not",
        f"{_WAITING}/retry",
        "stock-profile-unknown",
        form={"profile": "{mark}"},
    ),
]
