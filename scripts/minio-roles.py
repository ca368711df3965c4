#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes bucket, keys and policies of a city-size installation on a server of MinIO's kind; may be repeated.

Reads CUNZHENG_S3_ENDPOINT, CUNZHENG_S3_BUCKET and, from the folder of secrets (CUNZHENG_SECRETS, else
/run/secrets), the administrator's minio_root_user and minio_root_password. Key and secret of each role are
looked for there and in the folders that are named as arguments; a role without them is left as it is.
Other servers: print the policies with --print.
"""

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from minio import MinioAdmin
from minio.credentials import StaticProvider

from storage.objects.policies import KeyRole, policy
from storage.objects.server import BucketAddress, make_bucket

FILES = {
    KeyRole.WRITER: "cunzheng_s3",
    KeyRole.AUDITOR: "cunzheng_s3_auditor",
    KeyRole.DESTROYER: "cunzheng_s3_destroyer",
    KeyRole.HOLDER: "cunzheng_s3_hold",
}


def main() -> None:
    """Make what is missing and say what was made."""
    bucket = os.environ.get("CUNZHENG_S3_BUCKET", "cunzheng")
    if sys.argv[1:] == ["--print"]:
        print(json.dumps({str(role): policy(role, bucket) for role in KeyRole}, indent=2))
        return
    endpoint, secrets = (
        os.environ["CUNZHENG_S3_ENDPOINT"],
        Path(os.environ.get("CUNZHENG_SECRETS", "/run/secrets")),
    )
    user, password = ((secrets / f"minio_root_{name}").read_text().strip() for name in ("user", "password"))
    region = os.environ.get("CUNZHENG_S3_REGION", "us-east-1")
    if make_bucket(BucketAddress(endpoint, bucket, region, user, password)):
        print(f"bucket made, with versions and locks: {bucket}")
    parts = urlsplit(endpoint)
    admin = MinioAdmin(
        endpoint=parts.netloc,
        credentials=StaticProvider(user, password),
        region=region,
        secure=parts.scheme == "https",
    )
    for role, name in FILES.items():
        found = _key([secrets, *map(Path, sys.argv[1:])], name)
        if found is None:
            print(f"{role}: no key given, left as it is")
            continue
        (access_key, secret_key), policy_name = found, f"{bucket}-{role}"
        admin.policy_add(policy_name, policy=policy(role, bucket))
        admin.user_add(access_key, secret_key)
        # Whatever it had before: exactly this policy.
        admin.policy_set(policy_name, user=access_key)
        print(f"{role}: {access_key}")


def _key(folders: list[Path], name: str) -> tuple[str, str] | None:
    for folder in folders:
        files = folder / f"{name}_access_key", folder / f"{name}_secret_key"
        if all(file.exists() for file in files):
            return files[0].read_text().strip(), files[1].read_text().strip()
    return None


main()
