# SPDX-License-Identifier: Apache-2.0
"""Which kinds of steps stand in which queue, so that each kind of work can have its own workers."""

from typing import Final

QUEUES: Final = ("office", "pdf", "seal", "index", "notify")
_QUEUE_OF: Final = {
    "archive.render": "office",
    "archive.seal": "seal",
    "archive.manifest": "seal",
    "ladder.form": "seal",
    "license.copy": "seal",
    "license.issue": "seal",
}
_QUEUE_OF_ROOM: Final = {"index": "index", "notify": "notify"}


def queue_of(kind: str) -> str:
    """Give the queue of a kind of step: LibreOffice, seals and index have their own, the rest is ``pdf``."""
    return _QUEUE_OF.get(kind) or _QUEUE_OF_ROOM.get(kind.partition(".")[0], "pdf")
