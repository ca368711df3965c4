# SPDX-License-Identifier: Apache-2.0
"""Words for changes of rights and for grants: what can be asked for, how far it is, what is disclosed."""

from collections.abc import Mapping
from typing import Final

from licenses.grants.terms import Ceiling
from portal.accounts.carrying import ChangeKind
from portal.i18n import mark as _

CHANGES: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.ACCOUNT_ADD: _("Add a person"),
    ChangeKind.ACCOUNT_POST: _("Change roles"),
    ChangeKind.ACCOUNT_END: _("End an account"),
    ChangeKind.ACCOUNT_DOCUMENT: _("Register the identity document"),
    ChangeKind.ACCOUNT_DOCUMENT_END: _("Remove the identity document"),
    ChangeKind.CLIENT_ADD: _("Add a calling system"),
    ChangeKind.CLIENT_END: _("End a calling system"),
    ChangeKind.CLIENT_KEY_ADD: _("Register a public key"),
    ChangeKind.CLIENT_KEY_END: _("End a public key"),
    ChangeKind.GRANT_ADD: _("Grant use of licences"),
    ChangeKind.GRANT_END: _("End a grant"),
}
CEILINGS: Final[Mapping[Ceiling, str]] = {
    Ceiling.PREDICATE: _("Yes or no only"),
    Ceiling.FIELDS: _("Fields of licences"),
    Ceiling.DOCUMENT: _("Annotated copies"),
}
STANDINGS: Final[Mapping[str, tuple[str, str]]] = {
    "running": (_("Grant in force"), "good"),
    "coming": (_("Begins later"), "wait"),
    "over": (_("Window is over"), "unknown"),
    "ended": (_("Ended"), "unknown"),
}
