# SPDX-License-Identifier: Apache-2.0
"""Visits of the form on which identity documents of officials are registered: none told back, none kept."""

from typing import Any, Final

from .pages import EXPIRED, REFUSED, SCRIPT, Visit

_DOCUMENT: Final = {"kind": "account-document", "scheme": "111", "code": "{mark}", "reason": "x"}
_PLACE: Final[dict[str, Any]] = {"path": "/rights/ask", "who": "system"}

DOCUMENTS = (
    Visit(
        name="a document of an account made of markup",
        status=404,
        code="account-unknown",
        form=_DOCUMENT | {"of": SCRIPT},
        acts=REFUSED,
        **_PLACE,
    ),
    Visit(
        name="a document registered by who decides",
        status=403,
        code="not-permitted",
        form=_DOCUMENT | {"of": "x"},
        acts=REFUSED,
        **(_PLACE | {"who": "security"}),
    ),
    Visit(
        name="the removal of a document of nobody",
        status=404,
        code="account-unknown",
        form={"kind": "account-document-end", "of": "{mark}", "reason": SCRIPT},
        acts=REFUSED,
        **_PLACE,
    ),
    Visit(
        name="a forged registration of a document",
        status=403,
        code=EXPIRED,
        token="none",
        form=_DOCUMENT | {"of": "x", "scheme": SCRIPT},
        **_PLACE,
    ),
)
