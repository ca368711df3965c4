# SPDX-License-Identifier: Apache-2.0
"""Words for what is done with a licence or a holder's data, by the action of a use."""

from collections.abc import Mapping
from typing import Final

from portal.i18n import mark as _

DONE: Final[Mapping[str, str]] = {
    "ask": _("Asked"),
    "called-up": _("Called up"),
    "code": _("Authorised by a code"),
    "cooperation": _("A department was asked"),
    "copy": _("Copy ordered"),
    "evidence": _("Evidence bundle taken by supervision"),
    "copy-out": _("Copy handed out"),
    "find": _("Listed"),
    "public-check": _("Public check"),
    "read": _("Read"),
    "reveal": _("Shown whole"),
    "shown": _("Shown by its holder"),
}
"""What was done."""
ASKED: Final[Mapping[str, str]] = {
    "ask": _("which proofs are needed"),
    "called-up": _("a copy for the file of the case"),
    "code": _("an authorisation code for the licence"),
    "copy": _("an annotated copy of the licence"),
    "evidence": _("question, answer and signatures of a decision"),
    "copy-out": _("the annotated copy was handed out"),
    "find": _("which licences there are"),
    "public-check": _("state, by the file or its code"),
    "read": _("the licence, sensitive fields masked"),
    "reveal": _("sensitive fields of the licence, whole"),
    "shown": _("the licence, by the code that its holder showed"),
}
"""What was asked where no single requirement was."""
