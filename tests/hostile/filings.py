# SPDX-License-Identifier: Apache-2.0
"""A hostile filing as data: a multipart request of which one thing is not what it should be."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .calls import filled
from .ground import HOLDER, ITEM

PDF = b"%PDF-1.7 {mark}"
BOUNDARY = "b0undary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
RECEIVED = ("case.announced", "case.closed", "filing.received")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the body: its name, the file's name as sent, its bytes."""

    name: str
    data: bytes = PDF
    file_name: str | None = "m0.pdf"
    more: str = ""


@dataclass(frozen=True, kw_only=True)
class Filing:
    """One filing.

    Attributes:
        name: Unique; says what is tried.
        status: The answer's status.
        code: The stable code of the problem, or ``None`` where it is received.
        acts: Kinds of act that it leaves.
        who: A client of the ground.
        number: Of the case, in the address; the same in the metadata unless ``metadata`` changes it.
        metadata: What is changed in the metadata.
        material: What is changed in its one material.
        materials: All materials, instead of one.
        raw: The metadata's bytes, instead of all that.
        parts: The files; ``None`` means the one that is listed.
        unlisted: Whether no part with metadata is sent.
        kind: The content type of the body.
        cut: Bytes that are missing at the end.
        length: What the header says of the length; ``None`` for the truth.
    """

    name: str
    status: int
    code: str | None
    acts: tuple[str, ...] = ()
    who: str = "client"
    number: str = "{mark}"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    material: Mapping[str, Any] = field(default_factory=dict)
    materials: Sequence[Mapping[str, Any]] | None = None
    raw: bytes | None = None
    parts: Sequence[Part] | None = None
    unlisted: bool = False
    kind: str = FORM
    cut: int = 0
    length: int | None = None


def material(mark: str, **changes: Any) -> dict[str, Any]:
    """Give a listed material with whose file nothing is wrong, but for what is changed."""
    data = filled(PDF, mark)
    return {
        "part": "m0",
        "code": "application-form",
        "name": "申请书",
        "group": "application",
        "file_name": "m0.pdf",
        "media_type": "application/pdf",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    } | changes


def metadata(mark: str, filing: Filing) -> dict[str, Any]:
    """Give the metadata of a filing."""
    listed = filing.materials if filing.materials is not None else [filing.material]
    return {
        "source": "ycsl",
        "number": filing.number,
        "item": ITEM,
        "holder": HOLDER,
        "organisation": "scjg",
        "accepted_at": "2026-11-02T09:00:00+08:00",
        "decided_at": "2026-11-13T10:00:00+08:00",
        "closed_at": "2026-11-16T16:00:00+08:00",
        "result": "refused",
        "materials": [material(mark, **one) for one in listed],
    } | filing.metadata


def body_of(filing: Filing, mark: str) -> bytes:
    """Give the body of a filing, a cut end included."""
    raw = filing.raw if filing.raw is not None else json.dumps(metadata(mark, filing)).encode()
    parts = list(filing.parts) if filing.parts is not None else [Part("m0")]
    if not filing.unlisted:
        parts.insert(0, Part("metadata", raw, "case.json"))
    made = bytes(filled(multipart(parts), mark))
    return made[: len(made) - filing.cut]


def multipart(parts: Sequence[Part]) -> bytes:
    """Give a form of parts, as it is sent."""
    return b"".join(_part(one) for one in parts) + f"--{BOUNDARY}--\r\n".encode()


def _part(part: Part) -> bytes:
    named = f'; filename="{part.file_name}"' if part.file_name is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{part.name}"{named}\r\n{part.more}\r\n'
    return head.encode("utf-8", "surrogatepass") + part.data + b"\r\n"
