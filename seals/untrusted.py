# SPDX-License-Identifier: Apache-2.0
"""Verify a file from a stranger: in a confined child with limits of memory, time and output.

Whatever the child does, the answer is a verdict: no answer, a wrong answer or an exceeded limit is
"unsupported", never "valid".
"""

import datetime as dt
import hashlib
from pathlib import Path

from documents.errors import ChildFailedError
from documents.sandbox import Limits, Sandbox
from documents.zygotes import Trade
from seals.trust import TrustList
from seals.verdicts import Verdict, reasons
from seals.verification import KnownDocument
from storage.clock import rfc3339

LIMITS = Limits(
    address_space=2 << 30, cpu_seconds=30, wall_seconds=45, file_bytes=16 << 20, reply_bytes=16 << 20
)
MOST_BYTES = 256 << 20
_ROOT = Path(__file__).parents[1]
_TRADE = Trade(_ROOT / "seals" / "programs" / "verify_pdf.py", (_ROOT / "seals", _ROOT / "storage"))
_REASONS = {"timeout": "limits", "killed": "limits", "memory": "limits"}


def verify_untrusted(
    path: Path,
    trust: TrustList,
    known: KnownDocument | None,
    at: dt.datetime,
    *,
    sandbox: Sandbox,
    limits: Limits = LIMITS,
) -> Verdict:
    """Verify a PDF in a child process; the arguments mean what they mean to ``verify_pdf``.

    Args:
        path: The file.
        trust: Whom we trust.
        known: The stored file of the same protected ranges, if any.
        at: When the question is asked.
        sandbox: Where children run.
        limits: What the child may use.

    Raises:
        SandboxUnavailableError: This machine cannot confine children at all.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if size > MOST_BYTES:
        return _unsupported("limits", sha256, size, at)
    try:
        answer = sandbox.zygotes(_TRADE, limits).ask(
            path, trust=trust.as_json(), known=None if known is None else known.sha256, at=rfc3339(at)
        )
        verdict = Verdict.from_json(answer)
    except ChildFailedError as failure:
        return _unsupported(_REASONS.get(failure.reason, "malformed"), sha256, size, at)
    except (KeyError, TypeError, ValueError):
        return _unsupported("malformed", sha256, size, at)
    if (verdict.sha256, verdict.size, verdict.at) != (sha256, size, at):
        return _unsupported("malformed", sha256, size, at)
    return verdict


def _unsupported(code: str, sha256: str, size: int, at: dt.datetime) -> Verdict:
    return Verdict(reasons()[code].state, (code,), (), sha256, size, at)
