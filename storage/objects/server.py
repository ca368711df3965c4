# SPDX-License-Identifier: Apache-2.0
"""The connection to a server of the S3 dialect: clients, its errors as ours, locks as headers say them."""

import contextlib
import datetime as dt
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

import certifi
import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from storage.objects.ports import ObjectMissingError, ObjectStoreUnusableError
from storage.objects.versions import UNLOCKED, Lock, LockMode

Patience: TypeAlias = urllib3.Timeout
PATIENCE = Patience(connect=3, read=30)
BRIEFLY = Patience(connect=2, read=8)
"""For who has other work that must not wait: the sequencer, which is to number acts within a second."""
HASTE = Patience(connect=2, read=4)
"""For questions whose answer decides whether somebody may begin."""
_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"})
"""``MethodNotAllowed`` is the answer for a delete marker."""
_NO_LOCK = "ObjectLockConfigurationNotFoundError"
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)\Z")

log = logging.getLogger("cunzheng.objects")


class ObjectsUnavailableError(ObjectStoreUnusableError):
    """The object server does not answer, is full or refuses: nothing is taken in, steps wait."""

    code = "objects-unavailable"
    title_zh = "对象存储服务不可用，暂停接收"
    title_en = "The object server does not take or give bytes"
    remedy_zh = "请运维检查对象存储服务的运行、容量与访问密钥；恢复后自动继续。"
    remedy_en = "The operator checks the object server, its space and our keys to it; work resumes by itself."


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """Where the bucket is and who we are there.

    Attributes:
        endpoint: ``http://host[:port]`` or ``https://…``.
        bucket: Name of the bucket.
        region: The server's region.
        access_key: Name of our key.
        secret_key: The key.
    """

    endpoint: str
    bucket: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)


def connect(address: BucketAddress, timeout: Patience = PATIENCE) -> Minio:
    """Give a client; nothing is asked yet."""
    parts = urlsplit(address.endpoint)
    return Minio(
        parts.netloc,
        address.access_key,
        address.secret_key,
        secure=parts.scheme == "https",
        region=address.region,
        http_client=urllib3.PoolManager(
            timeout=timeout,
            maxsize=16,
            retries=urllib3.Retry(total=1, connect=1, read=0, redirect=0, status=0),
            cert_reqs="CERT_REQUIRED",
            ca_certs=certifi.where(),
        ),
    )


@contextlib.contextmanager
def server_errors() -> Iterator[None]:
    """Turn what the client raises into our errors.

    Raises:
        ObjectMissingError: No such key or version.
        ObjectsUnavailableError: Anything else.
    """
    try:
        yield
    except S3Error as error:
        if error.code in _MISSING:
            raise ObjectMissingError from error
        log.warning("the object server refuses: %s", error.code)
        raise ObjectsUnavailableError from error
    except (MinioException, urllib3.exceptions.HTTPError) as error:
        log.warning("the object server fails: %s", type(error).__name__)
        raise ObjectsUnavailableError from error


def has_lock(client: Minio, bucket: str) -> bool:
    """Tell whether the bucket says that it takes locks; whether they hold, a probe says."""
    with server_errors():
        try:
            client.get_object_lock_config(bucket)
        except S3Error as error:
            if error.code == _NO_LOCK:
                return False
            raise
    return True


def make_bucket(address: BucketAddress) -> bool:
    """Make the bucket, with versions and locks, unless it is there; tell whether it was made."""
    client = connect(address)
    with server_errors():
        if client.bucket_exists(address.bucket):
            return False
        client.make_bucket(address.bucket, address.region, object_lock=True)
    return True


def lock_of(headers: Mapping[str, str]) -> Lock:
    """Read a version's lock from the headers that came with it."""
    mode = headers.get("x-amz-object-lock-mode")
    until = headers.get("x-amz-object-lock-retain-until-date")
    if not mode or not until:
        return UNLOCKED
    return Lock(LockMode(mode.upper()), parse_until(until))


def parse_until(text: str) -> dt.datetime:
    """Read the end of a lock; servers write whole seconds, milliseconds or nanoseconds.

    Raises:
        ValueError: It is no instant.
    """
    found = _INSTANT.match(text)
    if found is None:
        raise ValueError("no instant")
    whole, fraction, zone = found.groups()
    instant = dt.datetime.fromisoformat(f"{whole}.{(fraction or '0')[:6]:0<6}{zone}")
    return instant.astimezone(dt.UTC)
