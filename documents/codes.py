# SPDX-License-Identifier: Apache-2.0
"""QR codes in a photo, read in a limited child; the photo is gone afterwards."""

from collections.abc import Sequence
from pathlib import Path

from documents.errors import ChildFailedError, UnreadableError
from documents.sandbox import Limits, Sandbox

LIMITS = Limits(
    address_space=1 << 30, cpu_seconds=15, wall_seconds=20, file_bytes=1 << 20, reply_bytes=1 << 17
)


def read_codes(photo: Path, sandbox: Sandbox) -> Sequence[str]:
    """Give what the QR codes in a photo say, in no order; a code says whatever whoever printed it wanted.

    Args:
        photo: JPEG, PNG, WebP or TIFF, not trusted.
        sandbox: Where it is parsed; see :data:`LIMITS`.

    Raises:
        UnreadableError: It is no such picture, or reading it takes more than the limits allow.
        SandboxUnavailableError: Nothing can be parsed on this machine.
    """
    try:
        with sandbox.workroom() as room:
            room.put(photo, "photo")
            codes = room.call("code", file="photo")["codes"]
    except ChildFailedError as failure:
        raise UnreadableError(reason=failure.reason) from None
    return [str(code) for code in codes] if isinstance(codes, list) else []
