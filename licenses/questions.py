# SPDX-License-Identifier: Apache-2.0
"""No-proof questions, and whom one means where a relation leads to several: words and digests of them."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cases.identifiers import check_holder_code
from cases.models import Holder
from licenses.requests import SignedRequest
from storage.database import UnitOfWork

Meant = Mapping[str, Mapping[str, str]]
"""Subject → ``by`` (``code`` or ``name``) and ``digest``, keyed, of what was said; it names nobody."""
_NAME: Final = "name of a subject"
BY_CODE, BY_NAME = "code", "name"


@dataclass(frozen=True, slots=True)
class SubjectHint:
    """Whom a question means by a relation that may lead to several, as one child of two.

    It narrows and never widens: who does not stand in the relation is not found by it.

    Attributes:
        subject: The relation, as the rule names it.
        code: Scheme and code; decides where it is given.
        name: The name, where no code is at hand; of two with one name it decides nothing.
    """

    subject: str
    code: tuple[str, str] | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class ProofQuestion:
    """Which proofs of a case are established already?

    Attributes:
        source: Source of the case.
        number: The case's number there.
        item: Code of its item.
        purpose: One of the published purposes.
        holder: Scheme and code of the holder, if the caller names one: it must be the case's.
        requirements: Requirement ids to ask about; all when empty.
        subjects: Whom it means where a relation leads to several.
        signed: The call that asks, as the client signed it; none of a person.
    """

    source: str
    number: str
    item: str
    purpose: str
    holder: tuple[str, str] | None = None
    requirements: tuple[str, ...] = ()
    subjects: tuple[SubjectHint, ...] = ()
    signed: SignedRequest | None = None


def meant_by(uow: UnitOfWork, hints: Sequence[SubjectHint]) -> dict[str, dict[str, str]]:
    """Give whom a question means as keyed digests, which may be kept.

    Raises:
        HolderCodeError: A code does not fit its scheme.
    """
    found: dict[str, dict[str, str]] = {}
    for hint in hints:
        if hint.code is not None:
            code = check_holder_code(*hint.code)
            digest = uow.secrets.lookup_hash(code.scheme, code.code)
            found[hint.subject] = {"by": BY_CODE, "digest": digest.hex()}
        elif hint.name.strip():
            found[hint.subject] = {"by": BY_NAME, "digest": _name_digest(uow, hint.name)}
    return found


def is_meant(uow: UnitOfWork, holder: Holder, said: Mapping[str, str]) -> bool:
    """Tell whether a holder is whom a question means.

    Raises:
        ErasedError: The holder's key was destroyed, and the name is asked for.
    """
    if said["by"] == BY_CODE:
        return holder.code_hash.hex() == said["digest"]
    name = uow.secrets.decrypt(holder.name_cipher).decode()
    return _name_digest(uow, name) == said["digest"]


def _name_digest(uow: UnitOfWork, name: str) -> str:
    return uow.secrets.lookup_hash(_NAME, unicodedata.normalize("NFKC", "".join(name.split()))).hex()
