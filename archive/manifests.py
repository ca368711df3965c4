# SPDX-License-Identifier: Apache-2.0
"""The manifest of a dossier: its members by role, digest and version, and the acts that led to it.

It holds no personal data. ``key`` and ``version_id`` say where a member lay when the manifest was sealed: the
key in the bucket or folder, and the version that was locked and read back; ``version_id`` is null where the
store keeps no versions. The digests decide what a member is; the version lets an auditor ask a bucket for it
without our records, and shows when somebody has removed that version since.

It is canonical JSON with a detached CMS seal beside it. A dossier is rebuilt from manifest, members
and ledger alone; a verifier needs the manifest, its seal and the files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archive.models import Dossier, DossierMember
from storage.clock import rfc3339
from storage.ledger.canonical import Json, canonical, parse_canonical
from storage.objects.ports import StoredAt

VERSION = 2
_READABLE = frozenset({1, VERSION})
"""Version 1 lacks ``key`` and ``version_id`` of members."""


@dataclass(frozen=True, slots=True)
class EarlierAct:
    """An act that the manifest names: its id (the digest of its core), kind and outcome."""

    act_id: str
    kind: str
    outcome: str


def manifest_key(dossier: Dossier, version: int) -> str:
    """Give the name under which a manifest is stored; the seal stands beside it with ``.p7s``."""
    return f"m/{dossier.fonds}/{dossier.year}/{dossier.id}/{version}.json"


def compose(
    dossier: Dossier,
    members: Sequence[DossierMember],
    acts: Sequence[EarlierAct],
    adds_to: Dossier | None = None,
) -> dict[str, Json]:
    """Give the manifest of a dossier but for where its members lie.

    That of a supplement says in ``supplement`` which one it is and which dossier it adds to, by id and by the
    digest of that one's manifest.

    File names and titles stay out: they may name persons. Members say what they are by role and
    material code.
    """
    added: dict[str, Json] = {}
    if adds_to is not None:
        added["supplement"] = {
            "number": dossier.supplement,
            "dossier": adds_to.id,
            "manifest_sha256": adds_to.manifest_sha256,
        }
    return {
        **added,
        "v": VERSION,
        "dossier": dossier.id,
        "version": dossier.version,
        "case": dossier.case_id,
        "filing": dossier.filing_id,
        "archival_number": dossier.archival_number,
        "fonds": dossier.fonds,
        "year": dossier.year,
        "retention": dossier.retention,
        "organisation": dossier.organisation,
        "item": {"code": dossier.item_code, "edition": dossier.item_edition},
        "assembled_at": rfc3339(dossier.assembled_at),
        "members": [_member(member) for member in members],
        "acts": [{"act": act.act_id, "kind": act.kind, "outcome": act.outcome} for act in acts],
    }


def complete(
    manifest: Mapping[str, Json], members: Sequence[Mapping[str, Json]], places: Sequence[StoredAt]
) -> bytes:
    """Write the manifest.

    Args:
        manifest: What :func:`compose` gave.
        members: Its members.
        places: Where each of them lies.
    """
    placed = [
        {**member, "key": place.key, "version_id": place.version_id}
        for member, place in zip(members, places, strict=True)
    ]
    return canonical({**manifest, "members": placed})


def read(data: bytes) -> dict[str, Json]:
    """Read a manifest; raises ``ValueError`` when it is none of a version that is known."""
    manifest = parse_canonical(data)
    if not isinstance(manifest, dict) or manifest.get("v") not in _READABLE:
        raise ValueError("no manifest of version 1 or 2")
    return manifest


def acts_of(data: bytes) -> list[EarlierAct]:
    """Give the acts that a manifest names, in its order; raises ``ValueError`` as :func:`read`."""
    acts = read(data)["acts"]
    found = [one for one in acts if isinstance(one, Mapping)] if isinstance(acts, list) else []
    return [EarlierAct(str(one["act"]), str(one["kind"]), str(one["outcome"])) for one in found]


def _member(member: DossierMember) -> dict[str, Json]:
    return {
        "position": member.position,
        "role": member.role,
        "code": member.code,
        "sha256": member.sha256,
        "sm3": member.sm3,
        "size": member.size,
        "media_type": member.media_type,
        "pages": member.pages,
        "level": member.level,
        "sealing": member.sealing_act,
    }
