# SPDX-License-Identifier: Apache-2.0
"""Named points at which a test may kill the process, to prove that nothing is lost there.

``CUNZHENG_FAILPOINT=name`` sends SIGKILL to the own process the first time it passes the point;
``name:3`` the third time. In production the variable is ignored.
"""

import os
import signal

FAILPOINTS: tuple[str, ...] = (
    "archive.accept.before-record",
    "archive.render.before-record",
    "archive.assemble.before-record",
    "archive.seal.before-record",
    "archive.store.after-put",
    "archive.store.before-record",
    "license.copy.after-seal",
    "license.copy.after-put",
    "license.copy.before-record",
    "license.issue.after-seal",
    "license.issue.after-put",
    "license.issue.before-record",
    "share.after-send",
    "stock.upload.after-start",
    "stock.upload.before-put",
    "stock.upload.after-put",
    "stock.import.after-end",
    "stock.import.after-destroy",
    "sequencer.after-append",
    "sequencer.before-commit",
    "sequencer.before-checkpoint",
    "sequencer.after-checkpoint",
    "sequencer.before-anchor",
    "sequencer.after-anchor",
    "sequencer.after-put",
    "step.after-plan",
    "step.after-perform",
    "step.after-record",
)

_passed: dict[str, int] = {}


def failpoint(name: str) -> None:
    """Kill this process here if the environment says so; ``name`` must stand in ``FAILPOINTS``."""
    wanted = os.environ.get("CUNZHENG_FAILPOINT")
    if wanted is None:
        return
    if name not in FAILPOINTS:
        raise LookupError(name)
    if os.environ.get("CUNZHENG_ENVIRONMENT") == "production":
        return
    point, _, turn = wanted.partition(":")
    if point != name:
        return
    _passed[name] = _passed.get(name, 0) + 1
    if _passed[name] == int(turn or 1):
        os.kill(os.getpid(), signal.SIGKILL)
