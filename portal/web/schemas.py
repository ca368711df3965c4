# SPDX-License-Identifier: Apache-2.0
"""What callers send: strict models that know every field and refuse every other.

Each model carries an example, which the interface description shows and a test sends.
"""

import datetime as dt
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from cases.identifiers import is_plain
from indexer.query import Sort
from licenses.codes.services import code_terms
from licenses.copies.terms import copy_terms
from storage.clock import read_instant

PLAIN: Final = r"^[^\x00-\x1f\x7f]+$"
SEGMENT: Final = r"^[^/\\\x00-\x1f\x7f]{1,64}$"


def _instant(value: object) -> dt.datetime:
    return read_instant(value if isinstance(value, str) else "")


def plain(value: str) -> str:
    """Refuse a text with outer blanks or characters that are not seen."""
    if not is_plain(value):
        raise ValueError("outer blanks or characters that are not seen")
    return value


AwareInstant = Annotated[
    dt.datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Text = Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN), AfterValidator(plain)]


_AS_OF: Final = "Status as of this instant, which must have come; now without."


class Body(BaseModel):
    """The base of everything callers send."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ItemBody(Body):
    """An item in one edition of its guide."""

    code: Code
    edition: Code


class HolderBody(Body):
    """Whose case it is."""

    scheme: Annotated[
        str, Field(pattern=r"^[0-9]{3}$", description="Holder scheme of GB/T 36903: 001, 111 …")
    ]
    code: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z-]+$")]
    name: Text


class CaseBody(Body):
    """A case as the acceptance system announces it."""

    item: ItemBody
    holder: HolderBody
    organisation: Code
    accepted_at: AwareInstant
    closed_at: AwareInstant | None = None


CASE_EXAMPLE: Final[dict[str, Any]] = {
    "item": {"code": "339999010002", "edition": "2026-03"},
    "holder": {"scheme": "001", "code": "91339999MADEM0011X", "name": "演示食品有限公司"},
    "organisation": "scjg",
    "accepted_at": "2026-11-20T09:00:00+08:00",
}


class CaseReference(Body):
    """The case that a question is about."""

    source: Annotated[str, Field(pattern=SEGMENT)]
    number: Annotated[str, Field(pattern=SEGMENT)]


class HolderReference(Body):
    """The holder that the caller has before it; it must be the case's."""

    scheme: Annotated[str, Field(pattern=r"^[0-9]{3}$")]
    code: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z-]+$")]


class SubjectReference(Body):
    """Whom a question means by a relation that may lead to several; it narrows and never widens."""

    subject: Code
    scheme: Annotated[str | None, Field(pattern=r"^[0-9]{3}$")] = None
    code: Annotated[str | None, Field(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z-]+$")] = None
    name: Text | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.scheme is None) is not (self.code is None) or (self.code is None) is (self.name is None):
            raise ValueError("scheme and code, or name")
        return self


class ProofBody(Body):
    """A no-proof question."""

    case: CaseReference
    item: Code
    purpose: Code
    holder: HolderReference | None = None
    requirements: Annotated[list[Code], Field(default_factory=list, max_length=50)]
    subjects: Annotated[list[SubjectReference], Field(default_factory=list, max_length=10)]


PROOF_EXAMPLE: Final[dict[str, Any]] = {
    "case": {"source": "ycsl", "number": "YC-2026-000140"},
    "item": "339999010002",
    "purpose": "accept",
    "requirements": [],
}


class CopyBody(Body):
    """A copy to be made; what it is for stands in the access headers."""

    days: Annotated[int, Field(ge=1, le=copy_terms().most_days)] = copy_terms().usual_days


COPY_EXAMPLE: Final[dict[str, Any]] = {"days": 30}


class CopyLinkBody(Body):
    """The secret of a link that hands a copy out once."""

    token: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{22}$")]


COPY_LINK_EXAMPLE: Final[dict[str, Any]] = {"token": "AAAAAAAAAAAAAAAAAAAAAA"}


class PartyBody(Body):
    """A person or an organisation by scheme and code."""

    scheme: Annotated[str, Field(pattern=r"^[0-9]{3}$")]
    code: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z-]+$")]


class CodeBody(Body):
    """An authorisation code to be made; the case and the purpose stand in the access headers."""

    identifier: Annotated[str, Field(min_length=1, max_length=128, pattern=PLAIN)]
    mode: Literal["online", "function"]
    minutes: Annotated[int, Field(ge=1, le=int(code_terms().most.total_seconds()) // 60)] = 15
    party: Annotated[
        PartyBody | None,
        Field(description="For `online`: the signed-in applicant, who holds it"),
    ] = None


CODE_EXAMPLE: Final[dict[str, Any]] = {
    "identifier": "1.2.156.3005.2.11100000MB0143028R001.11339999DEM0010178.91339999MADEM0011X.001.7",
    "mode": "function",
    "minutes": 15,
}


class RedeemBody(Body):
    """A code that is used once."""

    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{22}$")]
    party: Annotated[PartyBody | None, Field(description="For a delegated code: who shows it")] = None


REDEEM_EXAMPLE: Final[dict[str, Any]] = {"code": "AAAAAAAAAAAAAAAAAAAAAA"}


class SubscriptionBody(Body):
    """What a client wants to be told of; terms never change, another wish is another subscription."""

    name: Annotated[str, Field(min_length=1, max_length=120, pattern=PLAIN), AfterValidator(plain)]
    about: Annotated[
        Literal["licences", "proofs", "questions"],
        Field(
            default="licences",
            description="`proofs`: the own decisions; `questions`: what the own department is asked; "
            "neither names anything further.",
        ),
    ]
    types: Annotated[list[Code], Field(default_factory=list, max_length=100)]
    items: Annotated[list[Code], Field(default_factory=list, max_length=100)]
    holders: Annotated[
        list[HolderReference],
        Field(default_factory=list, max_length=1000, description="Kept as keyed hashes only."),
    ]
    purpose: Code
    endpoint: Annotated[
        str | None,
        Field(
            default=None, min_length=1, max_length=500, description="None: events are only fetched, not sent."
        ),
    ]
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=PLAIN), AfterValidator(plain)]


class BareBody(Body):
    """An order that needs no terms: ``{}``."""


SUBSCRIPTION_EXAMPLE: Final[dict[str, Any]] = {
    "name": "食品经营许可变更",
    "about": "licences",
    "types": ["11339999DEM0010178001"],
    "items": [],
    "holders": [],
    "purpose": "keep-current",
    "endpoint": None,
    "reason": "按信息共享目录同步许可状态",
}


class CursorQuery(Body):
    """Where a list goes on."""

    model_config = ConfigDict(strict=False, extra="forbid", frozen=True)

    after: Annotated[
        str | None, Field(default=None, max_length=200, description="`next` of the page before.")
    ]
    limit: Annotated[int, Field(default=50, ge=1, le=200)]


class LicencesQuery(CursorQuery):
    """Which licences to list for the open case of the Access headers."""

    relation: Annotated[
        Code | None,
        Field(
            default=None, description="Licences of who stands in this relation to the case's holder instead."
        ),
    ]
    type: Annotated[Code | None, Field(default=None, description="Code of the licence type.")]
    history: Annotated[bool, Field(default=False, description="Also those that are not valid then.")]
    at: Annotated[AwareInstant | None, Field(default=None, description=_AS_OF)]


class LicenceQuery(Body):
    """On which relation to read a licence that is not the case's holder's own."""

    model_config = ConfigDict(strict=False, extra="forbid", frozen=True)

    relation: Annotated[Code | None, Field(default=None, description="Code of a relation.")]
    at: Annotated[AwareInstant | None, Field(default=None, description=_AS_OF)]


class RuleQuery(Body):
    """Of which edition of an item, and of which day, the rule is asked for."""

    model_config = ConfigDict(strict=False, extra="forbid", frozen=True)

    edition: Annotated[Code | None, Field(default=None, description="Edition; the newest one without.")]
    on: Annotated[dt.date | None, Field(default=None, description="Legal date; today without.")]


class FeedQuery(CursorQuery):
    """Where the feed of changes goes on."""

    subscription: Annotated[
        Code | None, Field(default=None, description="Only this one of the client's subscriptions.")
    ]


class TimeQuery(Body):
    """An instant at which something is asked for as it was then."""

    model_config = ConfigDict(strict=False, extra="forbid", frozen=True)

    time: Annotated[
        int | None, Field(default=None, ge=0, le=32_503_680_000, description="Seconds since 1970 (UTC).")
    ]


class SearchQuery(Body):
    """What to find."""

    model_config = ConfigDict(strict=False, extra="forbid", frozen=True)

    q: Annotated[
        str, Field(min_length=1, max_length=200, description="Han characters, words, prefixes (`*`).")
    ]
    kind: Annotated[str | None, Field(default=None, pattern=r"^(dossier|licence)$")]
    organisation: Annotated[Code | None, Field(default=None, description="Code of the owning department.")]
    item: Annotated[Code | None, Field(default=None, description="Code of the item.")]
    year: Annotated[
        str | None, Field(default=None, pattern=r"^[0-9]{4}$", description="Year of filing or issuing.")
    ]
    state: Annotated[
        str | None,
        Field(
            default=None,
            pattern=r"^(filed|original-only|issued|suspended|superseded|cancelled|withdrawn|revoked|lapsed)$",
            description="Where the record stands, not whether a licence is valid today; see `ended`.",
        ),
    ]
    type: Annotated[Code | None, Field(default=None, description="Code of the licence type.")]
    sort: Annotated[
        Sort,
        Field(
            default=Sort.NEWEST,
            description="`relevance`: first those whose title or number holds every term.",
        ),
    ]
    facets: Annotated[bool, Field(default=False, description="Count the hits by facet, too.")]
    ended: Annotated[
        bool, Field(default=False, description="Find licences that are not valid now, too; `valid` tells.")
    ]
    after: Annotated[str | None, Field(default=None, max_length=600)]
    limit: Annotated[int, Field(default=20, ge=1, le=100)]


def body_model(name: str) -> type[BaseModel]:
    """Give the model of that name, whose field names may be shown; the empty base for an unknown one."""
    waiting: list[type[BaseModel]] = [Body]
    while waiting:
        model = waiting.pop()
        if model.__name__ == name:
            return model
        waiting.extend(model.__subclasses__())
    return BaseModel


_Stated = Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN)]


class StatedLicence(Body):
    """What somebody states of a licence; identifier and holder are needed, the rest is compared if there."""

    identifier: Annotated[str, Field(min_length=1, max_length=128, pattern=PLAIN)] | None = None
    holder_scheme: Annotated[str, Field(pattern=r"^[0-9]{3}$")] | None = None
    holder_code: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z-]+$")] | None = None
    holder_name: _Stated | None = None
    type_code: _Stated | None = None
    number: _Stated | None = None
    issuer_name: _Stated | None = None
    issuer_code: _Stated | None = None
    issued_on: _Stated | None = None
    valid_from: _Stated | None = None
    valid_until: _Stated | None = None


class InformationBody(Body):
    """Statements to check, at most a hundred."""

    licences: Annotated[list[StatedLicence], Field(min_length=1, max_length=100)]
    purpose: Annotated[
        Code | None, Field(default=None, description="A published purpose, which the holder will see.")
    ]


INFORMATION_EXAMPLE: Final[dict[str, Any]] = {
    "licences": [
        {
            "identifier": "1.2.156.3005.2.11100000MB0143028R001.11330105002500287C.91330100TEST000001.001.L",
            "holder_scheme": "001",
            "holder_code": "91339999MADEM0011X",
            "number": "91330100TEST000001",
            "valid_until": "2030-04-30",
        }
    ]
}
