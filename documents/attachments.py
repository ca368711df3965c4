# SPDX-License-Identifier: Apache-2.0
"""Files embedded in a PDF that comes from outside. Parsing happens in a limited child."""

import base64
from pathlib import Path

from documents.errors import ChildFailedError, UnreadableError
from documents.sandbox import Sandbox

MOST_BYTES = 256 << 10


def read_attachment(path: Path, name: str, sandbox: Sandbox) -> bytes | None:
    """Give the embedded file with this name; None when there is none, or it is larger than 256 KiB.

    Raises:
        UnreadableError: The file is no readable PDF, or asks for more than the limits allow.
    """
    try:
        with sandbox.workroom() as room:
            room.put(path, "source")
            data = room.call("attachment", file="source", name=name, limit=MOST_BYTES)["data"]
    except ChildFailedError as failure:
        raise UnreadableError(reason=failure.reason) from None
    return None if data is None else base64.b64decode(str(data))
