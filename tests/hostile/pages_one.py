# SPDX-License-Identifier: Apache-2.0
"""Visits of one-certificate handling: documents, items and answers that are none."""

from typing import Any, Final

from .pages import REFUSED, SCRIPT, Visit

TYPED: Final = {"holder": "91339999MADEM0011X", "item": "339999010002", "purpose": "accept"}


def _sent(name: str, status: int, code: str, **form: str) -> Visit:
    more: dict[str, Any] = {"form": TYPED | form, "who": "clerk"}
    return Visit(name=name, status=status, code=code, path="/window/one", redisplays=True, **more)


ONE = (
    Visit(name="one document, looked at by an archivist", status=403, code="not-permitted", who="archivist",
          path="/window/one", acts=REFUSED),
    _sent("one document that is markup", 422, "holder-code", holder=SCRIPT),
    Visit(
        name="one document and an item made of markup", status=403, code="proof-refused", who="clerk",
        path="/window/one", form=TYPED | {"item": SCRIPT}, redisplays=True, acts=("proof.refused",),
    ),
    Visit(
        name="one document for a purpose made up", status=403, code="purpose-unknown", who="clerk",
        path="/window/one", form=TYPED | {"purpose": "{mark}", "item": "{mark}"}, redisplays=True,
        acts=("proof.refused",),
    ),
    Visit(
        name="the form of no answer", status=404, code="not-found", who="clerk",
        path="/window/decisions/{mark}/form", form={"reveal": "{mark}"}, redisplays=True, acts=REFUSED,
    ),
)  # fmt: skip
