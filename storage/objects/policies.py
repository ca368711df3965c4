# SPDX-License-Identifier: Apache-2.0
"""What each key may do in the bucket, as policies of the S3 dialect.

No key can do what another is for. The writer adds and locks but removes nothing; the auditor reads; the
destroyer removes versions that no COMPLIANCE lock and no legal hold keeps, and reads nothing; the holder sets
and lifts legal holds and neither reads nor removes. The dialect has one right for setting and lifting a hold,
so who may lift is decided by :mod:`archive.holds`, and the writer has neither. Servers of MinIO's kind ask
for ``DeleteObject`` where others ask for ``DeleteObjectVersion``; so the destroyer can put delete markers,
which hide nothing from reads by version.
"""

import enum
from collections.abc import Mapping
from typing import Final

from storage.ledger.canonical import Json


class KeyRole(enum.StrEnum):
    """Whose key it is."""

    WRITER = "writer"
    AUDITOR = "auditor"
    DESTROYER = "destroyer"
    HOLDER = "holder"


_SEE_BUCKET: Final = (
    "GetBucketLocation",
    "GetBucketObjectLockConfiguration",
    "GetBucketVersioning",
    "ListBucket",
    "ListBucketVersions",
)
_SEE_OBJECTS: Final = ("GetObject", "GetObjectVersion", "GetObjectRetention", "GetObjectLegalHold")
_RIGHTS: Final[Mapping[KeyRole, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    KeyRole.WRITER: (
        (*_SEE_BUCKET, "ListBucketMultipartUploads"),
        (
            *_SEE_OBJECTS,
            "PutObject",
            "PutObjectRetention",
            "AbortMultipartUpload",
            "ListMultipartUploadParts",
        ),
    ),
    KeyRole.AUDITOR: (_SEE_BUCKET, _SEE_OBJECTS),
    KeyRole.DESTROYER: ((), ("DeleteObject", "DeleteObjectVersion", "BypassGovernanceRetention")),
    KeyRole.HOLDER: ((), ("PutObjectLegalHold", "GetObjectLegalHold")),
}


def policy(role: KeyRole, bucket: str) -> dict[str, Json]:
    """Give the policy document of a role."""
    of_bucket, of_objects = _RIGHTS[role]
    statements: list[Json] = []
    for actions, resource in ((of_bucket, bucket), (of_objects, f"{bucket}/*")):
        if actions:
            statements.append(
                {
                    "Effect": "Allow",
                    "Action": [f"s3:{action}" for action in actions],
                    "Resource": [f"arn:aws:s3:::{resource}"],
                }
            )
    return {"Version": "2012-10-17", "Statement": statements}
