# SPDX-License-Identifier: Apache-2.0
"""What goes into and comes out of a sealing, as values that survive in a step's plan and result."""

import base64
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from storage.clock import parse_rfc3339, rfc3339
from storage.ledger.canonical import Json
from storage.secrets import SYSTEM_SUBJECT

DocumentType = Literal["catalogue", "rendition", "licence", "copy", "manifest", "decision", "commitment"]
DOCUMENT_TYPES: tuple[DocumentType, ...] = (
    "catalogue",
    "rendition",
    "licence",
    "copy",
    "manifest",
    "decision",
    "commitment",
)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the visible seal stands.

    Attributes:
        page: Page number, the first is 1.
        x_mm: Distance of the seal's left edge from the page's left edge.
        y_mm: Distance of the seal's upper edge from the page's upper edge.
        size_mm: Diameter.
    """

    page: int
    x_mm: float
    y_mm: float
    size_mm: float

    def as_json(self) -> dict[str, str]:
        """Write the placement with decimal texts, because canonical JSON knows no fractions."""
        return {name: str(getattr(self, name)) for name in ("page", "x_mm", "y_mm", "size_mm")}

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> "Placement":
        """Read what :meth:`as_json` wrote."""
        return cls(int(data["page"]), float(data["x_mm"]), float(data["y_mm"]), float(data["size_mm"]))


@dataclass(frozen=True, slots=True)
class SealRequest:
    """A wish to seal one document.

    Attributes:
        department: Code of the department whose seal is wanted.
        item: Item code of the case.
        document_type: What the document is.
        case: Id of the case, if it belongs to one.
        object_id: Opaque id of the document or the thing it belongs to.
        subject: Whose key protects the record's detail: a holder id or ``system``.
        stamp: Where the visible seal stands; ``None`` = invisible.
    """

    department: str
    item: str
    document_type: DocumentType
    case: str | None
    object_id: str
    subject: str = SYSTEM_SUBJECT
    stamp: Placement | None = None


@dataclass(frozen=True, slots=True)
class SealOrder:
    """An intended use of a chosen seal; its intent stands in the ledger.

    Attributes:
        sealing: Id of the row of table ``sealing``.
        intent: Act id of the recorded intent.
        seal: Id of the seal.
        name: The seal's name.
        department: The seal's department.
        key: Reference of its key.
        certificate: DER of its certificate.
        document_type: What will be sealed.
        case: Id of the case.
        object_id: What the document belongs to.
        subject: Whose key protects the records' details.
        stamp: Where the visible seal stands.
    """

    sealing: str
    intent: str
    seal: str
    name: str
    department: str
    key: str
    certificate: bytes
    document_type: str
    case: str | None
    object_id: str
    subject: str
    stamp: Placement | None

    def as_json(self) -> dict[str, Json]:
        """Write the order down for a step's plan."""
        return {
            "sealing": self.sealing,
            "intent": self.intent,
            "seal": self.seal,
            "name": self.name,
            "department": self.department,
            "key": self.key,
            "certificate": base64.b64encode(self.certificate).decode("ascii"),
            "document_type": self.document_type,
            "case": self.case,
            "object_id": self.object_id,
            "subject": self.subject,
            "stamp": None if self.stamp is None else dict(self.stamp.as_json()),
        }

    @classmethod
    def from_json(cls, data: Json) -> "SealOrder":
        """Read what :meth:`as_json` wrote."""
        values = dict(cast(Mapping[str, str], data))
        stamp = cast(Mapping[str, str] | None, values.pop("stamp"))
        certificate = base64.b64decode(values.pop("certificate"))
        return cls(
            **values, certificate=certificate, stamp=None if stamp is None else Placement.from_json(stamp)
        )


@dataclass(frozen=True, slots=True)
class SealFacts:
    """What is recorded about a finished sealing.

    Attributes:
        before_sha256: Digest of the document before, hex.
        after_sha256: Digest of the sealed file (of the ``.p7s`` when detached), hex.
        after_sm3: The same file's SM3 digest; ``None`` where the platform has no SM3.
        signed_sha256: Digest over what the signature protects, hex.
        cms_sha256: Digest of the CMS object, hex.
        sealed_at: Time in the token.
        token_serial: Serial number of the token, decimal.
        size: Bytes of the sealed file.
    """

    before_sha256: str
    after_sha256: str
    after_sm3: str | None
    signed_sha256: str
    cms_sha256: str
    sealed_at: dt.datetime
    token_serial: str
    size: int

    def as_json(self) -> dict[str, Json]:
        """Write the facts down for a step's result."""
        data: dict[str, Json] = {name: getattr(self, name) for name in self.__slots__}
        return data | {"sealed_at": rfc3339(self.sealed_at)}

    @classmethod
    def from_json(cls, data: Json) -> "SealFacts":
        """Read what :meth:`as_json` wrote."""
        values = dict(cast(Mapping[str, str], data))
        sealed_at, size = parse_rfc3339(values.pop("sealed_at")), int(values.pop("size"))
        return cls(**values, sealed_at=sealed_at, size=size)


@dataclass(frozen=True, slots=True)
class SealedDocument:
    """A sealed file with the facts about it.

    Attributes:
        data: The sealed PDF, or the ``.p7s`` when detached.
        facts: What is recorded.
    """

    data: bytes
    facts: SealFacts
